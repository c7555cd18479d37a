/** @file The inbox: drop files onto the upload form, and G opens the next scan. */

import { bindSingleKeys, singleKeysOn } from "./single_keys.js";

const MAX_BYTES = 25 * 1024 * 1024;

/** @param {number} bytes @returns {string} the size as people say it */
function sizeWords(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** @param {HTMLFormElement} form */
function improveUpload(form) {
  const drop = form.querySelector("[data-drop]");
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");
  form.classList.add("has-drop");

  const show = () => {
    chosen.replaceChildren(
      ...Array.from(input.files, (file) => {
        const line = document.createElement("li");
        const name = document.createElement("span");
        const size = document.createElement("span");
        name.textContent = file.name;
        size.textContent = sizeWords(file.size);
        if (file.size > MAX_BYTES) {
          size.className = "too-large";
          size.textContent += ", over 25 MB";
        }
        line.append(name, size);
        return line;
      }),
    );
  };

  input.addEventListener("change", show);
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("is-over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    show();
    form.querySelector("button[type=submit]").focus();
  });
}

document.querySelectorAll("form[data-upload]").forEach(improveUpload);

bindSingleKeys();
document.addEventListener("keydown", (event) => {
  if (!singleKeysOn()) return;
  const typing = event.target instanceof HTMLElement && event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key.toLowerCase() !== "g" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  document.querySelector("a[data-next-scan]")?.click();
});
