/** @file Single-key shortcuts on or off (WCAG 2.1.4): for people who speak to their computer, or whose hands slip. */

const root = document.documentElement;

/** @returns {boolean} kept in a cookie of this browser; on until somebody switches it off */
export function singleKeysOn() {
  return !/(?:^|;\s*)single_keys=off/.test(document.cookie);
}

/** Bind every switch of the page; the hints on buttons follow by CSS. */
export function bindSingleKeys() {
  const switches = document.querySelectorAll("input[data-single-keys]");
  const show = () => {
    root.dataset.singleKeys = singleKeysOn() ? "on" : "off";
    for (const box of switches) box.checked = singleKeysOn();
  };
  for (const box of switches) {
    box.addEventListener("change", () => {
      document.cookie = `single_keys=${box.checked ? "on" : "off"}; path=/; max-age=31536000; samesite=lax`;
      show();
    });
  }
  addEventListener("pageshow", show);
  show();
}
