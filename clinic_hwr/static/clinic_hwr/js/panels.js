/** @file What stands around the field card: list, meaning, progress, saving, banner and keys. */

import { el, find } from "./dom.js";
import { keySign, stateChip } from "./field_card.js";

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
        stateChip(field),
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

/** What the draft says so far. @param {HTMLElement} place @param {any} state */
export function drawMeaning(place, state) {
  const lines = state.meaning.map((item) =>
    el(
      "div",
      { class: "medication" },
      el("p", { class: "medication-name" }, item.name || item.written || "Drug not known yet", item.schedule && el("span", { class: "chip chip-stop", text: item.schedule })),
      el("p", { class: "muted", text: [item.strength, item.form, item.quantity && `quantity ${item.quantity}`, item.refills && `${item.refills} refills`].filter(Boolean).join(" · ") }),
      item.plain && el("p", { class: "medication-plain", text: item.plain }),
    ),
  );
  const notes = state.notes.map((note) => el("li", { class: `reason reason-${note.severity}`, text: note.message }));
  place.replaceChildren(
    ...(lines.length > 0 ? lines : [el("p", { class: "muted", text: "No medication is known yet." })]),
    notes.length > 0 ? el("ul", { class: "reasons" }, ...notes) : "",
  );
}

/** How many fields still need somebody. @param {any[]} fields */
export function drawProgress(fields) {
  const waiting = fields.filter((field) => field.needs_human || field.conflict).length;
  const total = fields.length;
  find("progress-fill").setAttribute("width", String(total ? (120 * (total - waiting)) / total : 0));
  find("progress-text").textContent = waiting === 0 ? "All fields decided" : `${waiting} of ${total} need you`;
  find("list-hint").textContent = waiting === 0 ? "all decided" : `${waiting} need you`;
  find("release").classList.toggle("button-primary", waiting === 0);
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

/** The list behind `?`. @param {any[]} entries as in keys.json */
export function drawKeys(entries) {
  find("key-list").replaceChildren(
    ...entries.map((entry) =>
      el(
        "div",
        { class: "key-line" },
        el("span", { class: "key-signs" }, ...entry.keys.map((key) => el("kbd", { text: key.split("+").map(keySign).join(" + ") }))),
        el("span", {}, entry.help, entry.mode === "edit" && el("span", { class: "muted", text: " (while typing)" })),
      ),
    ),
  );
}
