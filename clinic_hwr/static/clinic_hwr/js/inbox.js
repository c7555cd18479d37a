/** @file The inbox: upload with true progress, G takes the next scan, / finds one again. */

import { bindSingleKeys, singleKeysOn } from "./single_keys.js";
import { improveUpload } from "./uploads.js";

document.querySelectorAll("form[data-upload]").forEach(improveUpload);

bindSingleKeys();
document.addEventListener("keydown", (event) => {
  if (!singleKeysOn() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof HTMLElement && event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  if (event.key.toLowerCase() === "g") document.querySelector("form[data-next-scan]")?.requestSubmit();
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector("[data-search]")?.focus();
  }
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // the back button must not show old queues
});
