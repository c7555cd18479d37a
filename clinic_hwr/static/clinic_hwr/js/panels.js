/** @file What stands around the field card: list, meaning, progress, saving, banner and keys. */

import { el, find } from "./dom.js";
import { stateChip, struckChip } from "./field_card.js";

/**
 * The list of fields; the one at hand is marked and scrolled into sight.
 * @param {HTMLElement} list @param {any[]} fields @param {string | null} activeId @param {(id: string) => void} select
 */
export function drawList(list, fields, activeId, select) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.field : null;
  list.replaceChildren(
    ...fields.map((field) => {
      const button = el(
        "button",
        {
          type: "button",
          class: "field-line",
          "data-field": field.id,
          "aria-current": field.id === activeId ? "true" : null,
          on: { click: () => select(field.id) },
        },
        el("span", { class: "field-line-title", text: field.title }),
        el("span", { class: "field-line-value", text: field.value || field.decision?.label || "–" }),
        el("span", { class: "field-line-chips" }, struckChip(field), stateChip(field)),
      );
      return el("li", {}, button);
    }),
  );
  if (focused) list.querySelector(`[data-field="${focused}"]`)?.focus();
  // only the list moves: scrollIntoView would move the page under the reader's eyes
  const current = list.querySelector("[aria-current]");
  if (current) {
    const top = current.offsetTop - list.offsetTop;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + current.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + current.offsetHeight - list.clientHeight;
  }
}

/** Where each value comes from; a press goes to its field. @param {any} item @param {(id: string) => void} select */
function originList(item, select) {
  if (!item.origins?.length) return null;
  return el(
    "details",
    { class: "origins", "data-medication": item.sequence },
    el("summary", { text: "Where each value comes from" }),
    el(
      "ul",
      {},
      ...item.origins.map((origin) =>
        el(
          "li",
          {},
          el("strong", { text: `${origin.value}: ` }),
          origin.title && el("button", { type: "button", class: "link", text: origin.title, on: { click: () => select(origin.field) } }),
          `${origin.title ? ", " : ""}${origin.rule}`,
        ),
      ),
    ),
  );
}

/** What the draft says so far. @param {HTMLElement} place @param {any} state @param {(id: string) => void} select */
export function drawMeaning(place, state, select) {
  const unfolded = [...place.querySelectorAll("details[open]")].map((node) => node.dataset.medication);
  const lines = state.meaning.map((item) =>
    el(
      "div",
      { class: "medication" },
      item.closed && el("p", { class: "muted", text: `Medication ${item.sequence}: shown once everybody needed has entered it.` }),
      !item.closed && el("p", { class: "medication-name" }, item.name || item.written || "Drug not known yet", item.schedule && el("span", { class: "chip chip-stop", text: item.schedule })),
      !item.closed && el("p", { class: "muted", text: [item.strength, item.form, item.quantity && `quantity ${item.quantity}`, item.refills && `${item.refills} refills`].filter(Boolean).join(" · ") }),
      item.plain && el("p", { class: "medication-plain", text: item.plain }),
      item.leftover?.length > 0 && el("p", { class: "reason reason-warn", text: `Not understood, kept as text: ${item.leftover.join(" ")}` }),
      originList(item, select),
    ),
  );
  const notes = state.notes.map((note) => {
    const item = el("li", { class: `reason reason-${note.severity}`, text: note.message });
    if (note.url) item.append(" ", el("a", { href: note.url, target: "_blank", text: "Open it" }));
    return item;
  });
  place.replaceChildren(
    ...(lines.length > 0 ? lines : [el("p", { class: "muted", text: "No medication is known yet." })]),
    notes.length > 0 ? el("ul", { class: "reasons" }, ...notes) : "",
  );
  for (const node of place.querySelectorAll("details")) node.open = unfolded.includes(node.dataset.medication);
}

/** How many fields still need somebody. @param {any[]} fields */
export function drawProgress(fields) {
  const open = fields.filter((field) => field.needs_human || field.conflict).length;
  const waiting = fields.filter((field) => field.needs_you || field.conflict).length;
  const others = open - waiting;
  const total = fields.length;
  find("progress-fill").setAttribute("width", String(total ? (120 * (total - open)) / total : 0));
  find("progress-text").textContent = open === 0 ? "All fields decided" : [waiting > 0 && `${waiting} of ${total} need you`, others > 0 && `${others} wait for others`].filter(Boolean).join(", ");
  find("list-hint").textContent = open === 0 ? "all decided" : waiting > 0 ? `${waiting} need you` : `${others} wait for others`;
  find("release").classList.toggle("button-primary", open === 0);
}

/** @param {{waiting: number, retryAt: number | null, held: boolean}} saving */
export function showSaving({ waiting, retryAt, held }) {
  const sign = find("save");
  sign.className = "save";
  if (waiting === 0) {
    sign.classList.add("is-saved");
    sign.textContent = "All saved";
    return;
  }
  const what = `${waiting} decision${waiting === 1 ? "" : "s"}`;
  if (held) {
    sign.classList.add("is-failing");
    sign.textContent = `${what} not saved yet`;
  } else if (retryAt !== null) {
    sign.classList.add("is-failing");
    sign.textContent = `No connection. ${what} kept here; trying again in ${Math.ceil((retryAt - Date.now()) / 1000)} s`;
  } else {
    sign.textContent = "Saving…";
  }
}

/** @param {string} text "" hides it @param {[string, () => void][]} [choices] */
export function banner(text, choices = []) {
  const place = find("banner");
  place.hidden = text === "";
  place.replaceChildren(
    el("span", { text }),
    ...choices.map(([word, handler]) => el("button", { type: "button", class: "button button-small", text: word, on: { click: handler } })),
  );
}

/** The last ten decisions of this person, newest first. @param {HTMLElement} place @param {{field: any, what: string}[]} done */
export function drawRecent(place, done) {
  const words = ({ field, what }) => (what === "box" ? "new box" : (field.decision?.label ?? "open"));
  place.replaceChildren(
    ...done.slice(-10).reverse().map((step) => el("li", { text: `${step.field.title}: ${words(step)}` })),
  );
}
