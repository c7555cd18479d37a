/** @file The workstation: puts its parts together, draws them, and hands keys and clicks to the commands. */

import { ActiveTime } from "./active_time.js";
import { Commands } from "./commands.js";
import { el, find } from "./dom.js";
import { drawCard, drawDone } from "./field_card.js";
import { KeyMap } from "./key_map.js";
import { Naming } from "./naming.js";
import { banner, drawKeys, drawList, drawMeaning, drawProgress, showSaving } from "./panels.js";
import { Review } from "./review.js";
import { Saving } from "./saving.js";
import { SheetView } from "./sheet_view.js";
import { bindSingleKeys, singleKeysOn } from "./single_keys.js";

const config = find("config").dataset;
const keys = new KeyMap(JSON.parse(document.getElementById("keys").textContent), singleKeysOn);
const card = find("card");
const list = find("list");
const keysDialog = find("keys");
const namingDialog = find("naming");
/** One image a field, made once: the browser keeps what `no-store` forbids it to cache. @type {Map<string, HTMLImageElement>} */
const inks = new Map();

const review = new Review(JSON.parse(document.getElementById("payload").textContent), draw);
const saving = new Saving(config, review, new ActiveTime());
const naming = new Naming(review, saving, config.addUrl);
const sheet = new SheetView(find("sheet"), review.payload.pages, (id) => review.select(id));
const commands = new Commands(review, saving, {
  zoom,
  help: () => keysDialog.showModal(),
  list: () => (list.querySelector("[aria-current]") ?? list.querySelector("button"))?.focus(),
  add: () => naming.add(),
  name: (field) => naming.nameField(field),
  releaseUrl: config.releaseUrl,
});
/** @param {string} action */
const act = (action) => commands.act(action);

// --- drawing ----------------------------------------------------------------------------------

/** @param {any} field @returns {HTMLElement} the ink; a field that nobody cut out is looked at on the page */
function inkOf(field) {
  if (field.whole_page) return el("p", { class: "ink-note", text: "Not cut out: look at the page." });
  let image = inks.get(field.id);
  if (!image) {
    image = el("img", { class: "ink-image", src: field.crop, alt: `The ink of ${field.title}` });
    inks.set(field.id, image);
  }
  return image;
}

/** @param {import("./review.js").Change} change */
function draw({ keepCard = false, focus = false }) {
  const field = review.active;
  if (!field) return;
  const hadFocus = card.contains(document.activeElement);
  if (!keepCard) {
    drawActive(field);
    if (review.editing) focusInput(field);
    else if (focus || (hadFocus && !card.contains(document.activeElement))) card.focus({ preventScroll: true });
  }
  drawList(list, review.fields, review.allDone ? null : field.id, (id) => review.select(id));
  drawMeaning(find("meaning"), review.payload);
  drawProgress(review.fields);
  sheet.show(review.fields, field);
  const pages = review.payload.pages.length;
  find("page-word").textContent = pages > 1 ? `Page ${field.page} of ${pages}` : "";
  document.querySelector("[data-do=undo]").disabled = review.decided.length === 0;
}

/** @param {any} field */
function drawActive(field) {
  if (review.allDone) {
    drawDone(card, act);
    return;
  }
  const { editing, hint, fields } = review;
  const position = `${fields.indexOf(field) + 1} of ${fields.length}`;
  const mayDecide = saving.lease.held;
  drawCard(card, { field, position, ink: inkOf(field), editing, mayDecide, keys: keys.entries, act, hint });
}

/** The caret starts at the first doubtful character. @param {any} field */
function focusInput(field) {
  const input = document.getElementById("card-input");
  input.focus();
  const doubtful = field.value === field.machine ? field.chars.findIndex(([, doubt]) => doubt > 0) : -1;
  const caret = doubtful < 0 ? input.value.length : doubtful;
  input.setSelectionRange(caret, caret);
}

function zoom() {
  sheet.toggleFollow();
  document.querySelector("[data-do=zoom]").setAttribute("aria-pressed", String(sheet.follow));
  find("zoom-word").textContent = sheet.follow ? "Whole sheet" : "Follow the field";
}

// --- wiring -----------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (namingDialog.open) return;
  if (keysDialog.open) {
    if (event.key === "?" && singleKeysOn()) keysDialog.close();
    return;
  }
  const target = event.target;
  const inInput = target.id === "card-input";
  // single letters work on the card only; a focused button keeps its own Enter
  const onCard = card.contains(target) && !target.closest("button, a, input");
  const mode = inInput ? "edit" : onCard || (target === document.body && review.activeId) ? "command" : null;
  const action = keys.action(event, mode);
  if (action && act(action)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do);
});
find("release").addEventListener("click", (event) => {
  event.preventDefault();
  commands.toRelease();
});
find("close-keys").addEventListener("click", () => keysDialog.close());
keysDialog.addEventListener("close", () => card.focus({ preventScroll: true }));
namingDialog.addEventListener("close", () => !review.editing && card.focus({ preventScroll: true }));

bindSingleKeys();
drawKeys(keys.entries);
showSaving({ waiting: 0, retryAt: null, held: false });
review.start();
if (review.active) {
  // the other crops come while the person reads the first
  window.requestIdleCallback?.(() => review.fields.forEach(inkOf));
} else {
  card.replaceChildren(el("div", { class: "empty" }, el("strong", { text: "No field was found on this scan." }), "Add what it says, reject it, or send a better scan."));
}
if (config.mayDecide === "yes") saving.lease.claim();
else banner("Your role may look at this scan, not decide its fields.");
