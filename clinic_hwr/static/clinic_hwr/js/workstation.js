/** @file The workstation: puts its parts together, draws them, and hands keys and clicks to the commands. */

import { ActiveTime } from "./active_time.js";
import { ClarifyDialog } from "./clarify_dialog.js";
import { Commands } from "./commands.js";
import { el, find } from "./dom.js";
import { DrugNames } from "./drug_names.js";
import { drawCard, drawDone } from "./field_card.js";
import { KeyMap } from "./key_map.js";
import { KeySettings } from "./key_settings.js";
import { Naming } from "./naming.js";
import { banner, drawList, drawMeaning, drawProgress, drawRecent, showSaving } from "./panels.js";
import { Rebox } from "./rebox.js";
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

/** As in workstation.css: tablets, and windows at 200 % zoom. */
const oneColumn = matchMedia("(max-width: 62rem), (max-height: 34rem)");
const review = new Review(JSON.parse(document.getElementById("payload").textContent), draw);
const time = new ActiveTime();
const saving = new Saving(config, review, time);
const naming = new Naming(review, saving, config.addUrl);
const clarifying = new ClarifyDialog(review, saving);
const sheet = new SheetView(find("sheet"), review.payload.pages, (id) => rebox.active || review.select(id));
const rebox = new Rebox(sheet, saving, {
  say: (text) => review.say(text),
  onDrawn: (field) => review.remember(field.id, "box"),
});
const keySettings = new KeySettings(keys, config.keysUrl, () => draw({ keepCard: review.editing }));
const drugNames = new DrugNames(config.drugsUrl, review.payload.scan.id);
const commands = new Commands(review, saving, {
  zoom,
  hold,
  invert,
  nextDoubt,
  sheet,
  rebox,
  help: () => keySettings.open(isValidHere),
  list: () => (list.querySelector("[aria-current]") ?? list.querySelector("button"))?.focus(),
  add: () => naming.add(),
  clarify: (field) => clarifying.open(field),
  name: (field) => naming.nameField(field),
  releaseUrl: config.releaseUrl,
});
/** @param {string} action */
const act = (action) => commands.act(action);

// --- drawing ----------------------------------------------------------------------------------

/** @param {any} field @returns {HTMLElement} the ink; a field that nobody cut out is looked at on the page */
function inkOf(field) {
  if (field.whole_page) return el("p", { class: "ink-note", text: "Not cut out: look at the page." });
  let image = inks.get(field.crop);
  if (!image) {
    image = el("img", { class: "ink-image", src: field.crop, alt: `The ink of ${field.title}` });
    inks.set(field.crop, image);
  }
  return image;
}

/** @param {import("./review.js").Change} change */
function draw({ keepCard = false, focus = false }) {
  saving.watchReading();
  const field = review.active;
  if (!field) return;
  time.enter(review.allDone ? "" : field.id);
  const hadFocus = card.contains(document.activeElement);
  if (!keepCard) {
    drawActive(field);
    if (focus) cardInSight();
    if (review.editing) focusInput(field);
    else if (focus || (hadFocus && !card.contains(document.activeElement))) card.focus({ preventScroll: true });
  }
  drawList(list, review.fields, review.allDone ? null : field.id, (id) => review.select(id));
  drawMeaning(find("meaning"), review.payload, (id) => review.select(id));
  drawRecent(find("recent"), review.done.map(({ field: id, what }) => ({ field: review.byId(id), what })).filter((step) => step.field));
  drawProgress(review.fields);
  sheet.show(review.fields, field);
  const pages = review.payload.pages.length;
  const form = review.payload.pages.find((page) => page.number === field.page)?.form;
  find("page-word").textContent = [pages > 1 && `Page ${field.page} of ${pages}`, form && `Form: ${form}`].filter(Boolean).join(" · ");
  const told = keepCard && card.querySelector(".card-hint");
  if (told && told.textContent !== review.hint) told.textContent = review.hint;
  document.querySelector("[data-do=undo]").disabled = review.done.length === 0;
}

/** The card stands first, wherever the bench was; in one column the window scrolls, not the bench. */
function cardInSight() {
  const bench = card.parentElement;
  bench.scrollTop = 0;
  if (!oneColumn.matches) return; // measuring lays the page out: not in the path of a key
  const { top, bottom } = card.getBoundingClientRect();
  if (top < find("sheet-frame").getBoundingClientRect().bottom || bottom > innerHeight) card.scrollIntoView({ block: "start" });
}

/** @param {any} field */
function drawActive(field) {
  if (review.allDone) {
    drawDone(card, review.fields, act);
    return;
  }
  const { editing, hint, fields } = review;
  const position = `${fields.indexOf(field) + 1} of ${fields.length}`;
  const mayDecide = saving.lease.held;
  const draft = review.drafts.get(field.id);
  drawCard(card, { field, position, ink: inkOf(field), editing, mayDecide, keys: keys.entries, act, hint, draft, onType: typed });
}

/** What is typed is kept until it is saved or cancelled. @param {string} text */
function typed(text) {
  const field = review.active;
  review.drafts.set(field.id, text);
  if (field.name === "drug") drugNames.suggest(document.getElementById("card-input"), typed);
}

/** The caret starts at the first doubtful character. @param {any} field */
function focusInput(field) {
  const input = document.getElementById("card-input");
  input.focus({ preventScroll: true });
  const doubtful = input.value === field.machine ? field.chars.findIndex(([, doubt]) => doubt > 0) : -1;
  const caret = doubtful < 0 ? input.value.length : doubtful;
  input.setSelectionRange(caret, caret);
}

/** @param {any} field */
function nextDoubt(field) {
  const input = document.getElementById("card-input");
  if (input.value !== field.machine) return;
  const doubts = field.chars.flatMap(([, doubt], index) => (doubt > 0 ? [index] : []));
  const next = doubts.find((index) => index > input.selectionStart) ?? doubts[0];
  if (next !== undefined) input.setSelectionRange(next, next + 1);
}

function zoom() {
  sheet.toggleFollow();
  document.querySelector("[data-do=zoom]").setAttribute("aria-pressed", String(sheet.follow));
  find("zoom-word").textContent = sheet.follow ? "Whole sheet" : "Follow the field";
}

function hold() {
  sheet.toggleHold();
  document.querySelector("[data-do=hold]").setAttribute("aria-pressed", String(sheet.held));
}

function invert() {
  const order = ["", "strong", "inverted"];
  const now = document.documentElement.dataset.ink ?? "";
  document.documentElement.dataset.ink = order[(order.indexOf(now) + 1) % order.length];
}

/** Whether a key does something where the person is now. @param {any} entry */
function isValidHere(entry) {
  const field = review.active;
  const mode = rebox.active ? "box" : review.editing ? "edit" : "command";
  if (entry.mode !== mode && entry.mode !== "always") return false;
  const number = /^candidate_([1-5])$/.exec(entry.action)?.[1];
  if (number) return Number(number) <= (field?.choices?.length || (field?.candidates.length > 1 ? field.candidates.length : 0));
  if (entry.action === "name_field") return field?.name === "unnamed";
  if (entry.action === "postpone") return Boolean(field?.needs_you && !field.decision);
  if (entry.action === "edit") return !field?.mark;
  return true;
}

// --- wiring -----------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (namingDialog.open || clarifying.dialog.open) return;
  if (keysDialog.open) {
    if (keys.action(event, "command") === "help") keysDialog.close();
    return;
  }
  const target = event.target;
  const inInput = target.id === "card-input";
  // single letters work on the card only; a focused button keeps its own Enter
  const onCard = card.contains(target) && !target.closest("button, a, input");
  const drawing = rebox.active && !target.closest("button");
  const mode = drawing ? "box" : inInput ? "edit" : onCard || (target === document.body && review.activeId) ? "command" : null;
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
for (const dialog of [keysDialog, namingDialog, clarifying.dialog]) {
  dialog.addEventListener("close", () => !review.editing && card.focus({ preventScroll: true }));
}

bindSingleKeys();
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
