/** @file The workstation: which field is at hand, what a key does to it, and saving it in the background. */

import { ActiveTime } from "./active_time.js";
import { el } from "./dom.js";
import { drawCard, drawDone } from "./field_card.js";
import { KeyMap } from "./key_map.js";
import { Lease } from "./lease.js";
import { banner, drawKeys, drawList, drawMeaning, drawProgress, showSaving } from "./panels.js";
import { SaveQueue } from "./save_queue.js";
import { post } from "./server.js";
import { SheetView } from "./sheet_view.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const config = find("config").dataset;
const keys = new KeyMap(JSON.parse(document.getElementById("keys").textContent));
const card = find("card");
const list = find("list");
const dialog = find("keys");
const time = new ActiveTime();

let state = JSON.parse(document.getElementById("payload").textContent);
let activeId = "";
let editing = false;
let allDone = false;
let hint = "";
/** Fields decided here, newest last, for undo. @type {string[]} */
const decided = [];
/** One image a field, made once: the browser keeps what `no-store` forbids it to cache. @type {Map<string, HTMLImageElement>} */
const inks = new Map();

// --- talking to the server --------------------------------------------------------------------

const queue = new SaveQueue({
  send: ({ url, decision_id, kind, value, expected_number, active_seconds }) =>
    post(url, { decision_id, kind, value, expected_number, active_seconds, lease_token: lease.token }),
  onStored: (save, body) => merge(body.state),
  onRefused: refused,
  onChange: showSaving,
});

/** Take the server's word for every field that has nothing under way. @param {any} fresh */
function merge(fresh) {
  const conflicts = new Map(state.fields.map((field) => [field.id, field.conflict]));
  fresh.fields = fresh.fields.map((field) => {
    if (queue.concerns(field.id)) return fieldById(field.id);
    if (conflicts.get(field.id)) return { ...field, conflict: conflicts.get(field.id) };
    return field;
  });
  state = fresh;
  // while somebody types, the card stays as it is: redrawing it would take the caret away
  draw({ keepCard: editing });
}

/** @param {any} save @param {number} status @param {any} body @returns {"drop" | "hold"} */
function refused(save, status, body) {
  const code = body?.code ?? "";
  if (code === "stale_decision") {
    showConflict(save, body);
    return "drop";
  }
  if (code === "lease_lost" || code === "lease_held") {
    lease.lose(body.detail);
    return "hold";
  }
  if (status === 401 || status === 403) {
    banner("Your session has ended. Nothing is lost: sign in again in a new tab, then save.", [
      ["Sign in", () => open(config.loginUrl, "_blank", "noopener")],
      ["Save now", () => lease.claim()],
    ]);
    return "hold";
  }
  hint = body?.detail ?? "The server refused this decision.";
  queue.dropField(save.field_id);
  reload().then(() => select(save.field_id));
  return "drop";
}

/** @param {any} save @param {any} body */
async function showConflict(save, body) {
  queue.dropField(save.field_id);
  await reload();
  fieldById(save.field_id).conflict = { current: body.current, submitted: body.submitted };
  select(save.field_id);
}

async function reload() {
  try {
    const response = await fetch(config.stateUrl);
    if (response.ok) merge(await response.json());
  } catch {
    // the network is gone; the next save or heartbeat tells the person so
  }
}

const lease = new Lease(config, {
  onHeld: () => {
    banner("");
    find("lease").textContent = "Yours while you work on it";
    queue.resume();
    draw({ keepCard: editing });
  },
  onLost: (why) => {
    find("lease").textContent = "Not yours now";
    banner(why, [["Take it", () => lease.claim()]]);
    draw({ keepCard: editing });
  },
  idleMs: () => time.idleMs(),
});

addEventListener("beforeunload", (event) => {
  if (queue.saves.length > 0 || editing) event.preventDefault();
});

// --- deciding ---------------------------------------------------------------------------------

const fieldById = (id) => state.fields.find((field) => field.id === id);
const activeField = () => fieldById(activeId);

/** @param {string} kind @param {string} value */
function decide(kind, value) {
  const field = activeField();
  queueDecision(field, kind, value);
  decided.push(field.id);
  nextWaiting();
}

/** @param {any} field @param {string} kind @param {string} value */
function queueDecision(field, kind, value) {
  const save = {
    decision_id: crypto.randomUUID(),
    field_id: field.id,
    url: field.decide,
    kind,
    value,
    expected_number: field.number,
    active_seconds: time.take(),
  };
  // what the server will say, said at once: no key press waits for the network
  field.number += 1;
  field.conflict = null;
  const reopened = kind === "reopened";
  field.needs_human = reopened;
  field.value = reopened ? field.machine : value;
  field.decision = reopened
    ? null
    : { kind, label: label(kind), value, by: "you", at: new Date().toISOString(), number: field.number };
  editing = false;
  queue.push(save);
}

/** @param {string} kind @returns {string} */
function label(kind) {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {string} value a text the person chose or typed */
function decideText(value) {
  decide(value === activeField().machine ? "accepted" : "corrected", value);
}

function nextWaiting() {
  const index = state.fields.findIndex((field) => field.id === activeId);
  const order = [...state.fields.slice(index + 1), ...state.fields.slice(0, index + 1)];
  const next = order.find((field) => field.conflict) ?? order.find((field) => field.needs_human);
  if (next) select(next.id);
  else finish();
}

function finish() {
  allDone = true;
  editing = false;
  draw();
  card.focus({ preventScroll: true });
}

/** @param {string} id */
function select(id) {
  if (id !== activeId) hint = "";
  activeId = id;
  editing = false;
  allDone = false;
  draw();
  card.focus({ preventScroll: true });
}

function startEdit() {
  const field = activeField();
  if (field.mark) return;
  editing = true;
  draw();
  const input = document.getElementById("card-input");
  input.focus();
  const doubtful = field.value === field.machine ? field.chars.findIndex(([, doubt]) => doubt > 0) : -1;
  const caret = doubtful < 0 ? input.value.length : doubtful;
  input.setSelectionRange(caret, caret);
}

async function toRelease() {
  const open = state.fields.find((field) => field.conflict || field.needs_human);
  if (open) {
    hint = "This field still needs you before the signature.";
    activeId = open.id;
    select(open.id);
    return;
  }
  find("save").textContent = "Saving before the signature…";
  await queue.drained();
  location.assign(config.releaseUrl);
}

function undo() {
  const id = decided.pop();
  if (!id) return;
  const field = fieldById(id);
  if (field.decision) queueDecision(field, "reopened", "");
  hint = "Taken back. The field is open again.";
  activeId = id;
  select(id);
}

/** @param {number} step 1 or -1 @returns {boolean} whether there was a field to go to */
function step(by) {
  const index = state.fields.findIndex((field) => field.id === activeId);
  const target = state.fields[index + by];
  if (target) select(target.id);
  return Boolean(target);
}

/** @param {number} index 0..4 */
function takeCandidate(index) {
  const field = activeField();
  if (field.conflict) {
    resolveConflict(index);
    return;
  }
  const text = field.candidates[index];
  if (text !== undefined && field.candidates.length > 1) decideText(text);
}

/** @param {number} index 0 keeps theirs, 1 sends yours again on top of it */
function resolveConflict(index) {
  const field = activeField();
  const { submitted } = field.conflict;
  if (index > 1) return;
  field.conflict = null;
  if (index === 1) {
    decide(submitted.kind === "accepted" ? "accepted" : submitted.kind, submitted.value);
  } else {
    nextWaiting();
  }
}

/** @param {string} action @returns {boolean} whether the key was used up */
function act(action) {
  const field = activeField();
  const deciding = ["accept", "illegible", "not_present", "not_applicable", "edit", "commit", "undo"].includes(action);
  if ((deciding || action.startsWith("candidate_")) && !lease.held) {
    if (field && !allDone) {
      hint = "This scan is not yours now; take it first.";
      draw({ keepCard: editing });
    }
    return true;
  }
  if (allDone) {
    if (action === "accept" || action === "release") toRelease();
    else if (action === "undo") undo();
    else if (action === "help") dialog.showModal();
    else if (action === "list") list.querySelector("button")?.focus();
    else return false;
    return true;
  }
  if (action.startsWith("candidate_")) {
    takeCandidate(Number(action.at(-1)) - 1);
    return true;
  }
  if (field.conflict && deciding) return true; // first say which answer stands
  switch (action) {
    case "accept":
      if (field.decision) nextWaiting();
      else if (field.machine !== "") decide("accepted", field.machine);
      else say(field.mark ? "Say present (1) or absent (2)." : "Nothing was read here. Press E and type, or N if nothing is written.");
      return true;
    case "illegible":
    case "not_present":
    case "not_applicable":
      decide(action, "");
      return true;
    case "edit":
      startEdit();
      return true;
    case "commit": {
      const text = document.getElementById("card-input").value.trim();
      if (text === "") document.querySelector(".card-hint").textContent = "Type a value, or press Esc and then N if nothing is written.";
      else decideText(text);
      return true;
    }
    case "cancel":
      select(activeId);
      return true;
    case "undo":
      undo();
      return true;
    case "zoom":
      sheet.toggleFollow();
      showZoom();
      return true;
    case "next":
      return step(1);
    case "previous":
      return step(-1);
    case "list":
      list.querySelector("[aria-current]")?.focus();
      return true;
    case "release":
      toRelease();
      return true;
    case "help":
      dialog.showModal();
      return true;
    default:
      return false;
  }
}

/** @param {string} text */
function say(text) {
  hint = text;
  draw();
  card.focus({ preventScroll: true });
}

// --- drawing ----------------------------------------------------------------------------------

/** @param {any} field @returns {HTMLImageElement} */
function inkOf(field) {
  let image = inks.get(field.id);
  if (!image) {
    image = el("img", { class: "ink-image", src: field.crop, alt: `The ink of ${field.title}` });
    inks.set(field.id, image);
  }
  return image;
}

/** @param {{keepCard?: boolean}} [options] */
function draw({ keepCard = false } = {}) {
  const field = activeField();
  if (!field) return;
  const hadFocus = card.contains(document.activeElement);
  if (!keepCard) {
    if (allDone) drawDone(card, act);
    else {
      const position = `${state.fields.indexOf(field) + 1} of ${state.fields.length}`;
      drawCard(card, { field, position, ink: inkOf(field), editing, mayDecide: lease.held, keys: keys.entries, act, hint });
    }
    if (hadFocus && !editing && !card.contains(document.activeElement)) card.focus({ preventScroll: true });
  }
  drawList(list, state.fields, allDone ? null : activeId, select);
  drawMeaning(find("meaning"), state);
  drawProgress(state.fields);
  sheet.show(state.fields, field);
  find("page-word").textContent = state.pages.length > 1 ? `Page ${field.page} of ${state.pages.length}` : "";
  document.querySelector("[data-do=undo]").disabled = decided.length === 0;
}

function showZoom() {
  document.querySelector("[data-do=zoom]").setAttribute("aria-pressed", String(sheet.follow));
  find("zoom-word").textContent = sheet.follow ? "Whole sheet" : "Follow the field";
}

// --- wiring -----------------------------------------------------------------------------------

const sheet = new SheetView(find("sheet"), state.pages, select);

document.addEventListener("keydown", (event) => {
  if (dialog.open) {
    if (event.key === "?") dialog.close();
    return;
  }
  const target = event.target;
  const inInput = target.id === "card-input";
  // single letters work on the card only (WCAG 2.1.4); a focused button keeps its own Enter
  const onCard = card.contains(target) && !target.closest("button, a, input");
  const mode = inInput ? "edit" : onCard || (target === document.body && activeId) ? "command" : null;
  const action = keys.action(event, mode);
  if (action && act(action)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do);
});
find("release").addEventListener("click", (event) => {
  event.preventDefault();
  toRelease();
});
find("close-keys").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => card.focus({ preventScroll: true }));

drawKeys(keys.entries);
showSaving({ waiting: 0, retryAt: null, held: false });
const first = state.fields.find((field) => field.needs_human) ?? state.fields[0];
if (first) {
  activeId = first.id;
  if (state.waiting === 0) finish();
  else select(first.id);
  // the other crops come while the person reads the first
  window.requestIdleCallback?.(() => state.fields.forEach(inkOf));
} else {
  card.replaceChildren(el("div", { class: "empty" }, el("strong", { text: "No field was found on this scan." }), "Reject it, or send a better scan."));
}
if (config.mayDecide === "yes") lease.claim();
else banner("Your role may look at this scan, not decide its fields.");
