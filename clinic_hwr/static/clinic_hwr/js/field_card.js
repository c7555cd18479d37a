/** @file Drawing one field: the ink, the value under it, candidates, doubts, and what may be said. */

import { clock, el } from "./dom.js";

const BAND_WORDS = { high: "Sure", medium: "Fairly sure", low: "Unsure" };
const BAND_BARS = { high: 3, medium: 2, low: 1 };
const ACTIONS = ["accept", "edit", "name_field", "illegible", "not_present", "not_applicable", "postpone", "clarify", "rebox", "read_aloud"];
const KEY_SIGNS = { Enter: "Enter", Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const WAITS = { second: "Second person", pharmacist: "Pharmacist", prescriber: "Prescriber" };
const TURNS = { first: "Entered blind", second: "Second entry, blind", adjudicate: "Two entries differ" };
const STRUCK_WORDS = { perhaps: "Struck out?", partly: "Partly struck out", wholly: "Struck out" };

/** @param {string} key @returns {string} the key as it is printed on keyboards */
export function keySign(key) {
  return KEY_SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

/** @param {string} key @returns {HTMLElement} a hint; one for a single key goes when those are switched off */
function kbd(key) {
  return el("kbd", { class: key.length === 1 && "single", text: keySign(key) });
}

/** @param {string} value @returns {string} words for a value that may be empty */
export function valueWords(value) {
  return value === "" ? "nothing" : `“${value}”`;
}

/** @param {any} field @returns {HTMLElement} what stands for the field now, as a chip */
export function stateChip(field) {
  if (field.conflict) return el("span", { class: "chip chip-stop", text: "Two answers" });
  if (WAITS[field.waits_for]) return el("span", { class: "chip chip-info", text: `Waits: ${WAITS[field.waits_for].toLowerCase()}` });
  if (field.decision) return el("span", { class: "chip chip-good", text: field.decision.label });
  if (field.needs_you && field.postponed) return el("span", { class: "chip chip-doubt", text: "Postponed" });
  if (field.needs_human) return el("span", { class: "chip chip-doubt", text: "Needs you" });
  return el("span", { class: "chip", text: "By policy" });
}

/** @param {any} field @returns {string} whether a stroke goes through the ink; a doubt is settled by a person's answer */
export function struckWords(field) {
  return field.struck_out === "perhaps" && field.decision ? "" : (STRUCK_WORDS[field.struck_out] ?? "");
}

/** @param {any} field @returns {HTMLElement | null} the same in words and by a line */
export function struckChip(field) {
  const words = struckWords(field);
  const kind = field.struck_out === "perhaps" ? "chip-doubt" : "chip-stop";
  return words ? el("span", { class: `chip ${kind} chip-struck`, text: words }) : null;
}

/** @param {any} field @returns {HTMLElement} how sure the machine is: bars and a word, never a number */
function bandMeter(field) {
  const word = BAND_WORDS[field.band];
  const meter = el("span", { class: `band band-${field.band}` });
  const bars = el("span", { class: "band-bars", "aria-hidden": "true" });
  for (let bar = 1; bar <= 3; bar += 1) bars.append(el("i", { class: bar <= BAND_BARS[field.band] && "on" }));
  meter.append(bars, el("span", { class: "visually-hidden", text: "Reader: " }), word);
  return meter;
}

/** @param {any} field @returns {HTMLElement} the value with every doubtful character marked twice: tint and underline */
function valueLine(field) {
  const line = el("p", { class: "value", id: "card-value" });
  if (field.decision && field.decision.value === "") {
    line.classList.add("is-empty");
    line.textContent = field.decision.label;
    return line;
  }
  if (field.value === "") {
    line.classList.add("is-empty");
    line.textContent = field.mark ? "Nobody has said yet" : field.choices.length > 0 ? "Look at the ink, then choose" : field.reading === "waiting" ? "Being read …" : field.blind ? "Type what you read" : "Nothing was read";
    return line;
  }
  const machineText = field.chars.map(([char]) => char).join("");
  if (field.value !== machineText) {
    line.textContent = field.mark ? capital(field.value) : field.value;
    return line;
  }
  const doubtful = [];
  for (const [char, doubt] of field.chars) {
    if (doubt === 0) {
      line.append(char);
    } else {
      doubtful.push(char === " " ? "space" : char);
      line.append(el("mark", { class: `doubt doubt-${doubt}`, text: char }));
    }
  }
  if (doubtful.length > 0) {
    line.append(el("span", { class: "visually-hidden", text: `, doubtful: ${doubtful.join(", ")}` }));
  }
  return line;
}

/** @param {string} word @returns {string} */
function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** @param {any} field @param {(action: string) => void} act @returns {HTMLElement | null} */
function candidateList(field, act) {
  if (field.candidates.length < 2) return null;
  const list = el("ol", { class: "candidates", "aria-label": "Candidates" });
  field.candidates.forEach(({ text, shown, note }, index) => {
    const button = el(
      "button",
      {
        type: "button",
        class: "candidate",
        "aria-pressed": text === field.value ? "true" : "false",
        on: { click: () => act(`candidate_${index + 1}`) },
      },
      kbd(String(index + 1)),
      el("span", { text: shown }),
      note && el("span", { class: "candidate-note", text: `▲ ${note}` }),
    );
    list.append(el("li", {}, button));
  });
  return list;
}

/** Both entries and the machine's reading, one key each. @param {any} field @param {(action: string) => void} act @returns {HTMLElement} */
function adjudication(field, act) {
  return el(
    "div",
    { class: "conflict", role: "group", "aria-labelledby": "adjudication-title" },
    el("h3", { id: "adjudication-title", text: "Two people entered different values. Which one is written?" }),
    ...field.choices.map((choice, index) =>
      el(
        "button",
        { type: "button", class: "candidate choice", on: { click: () => act(`candidate_${index + 1}`) } },
        kbd(String(index + 1)),
        el("span", { class: "choice-who", text: choice.who }),
        el("span", { class: "choice-value", text: choice.value || choice.label }),
      ),
    ),
  );
}

/** The question that is open, and what the prescriber answered before. @param {any} field @returns {HTMLElement | null} */
function prescriberNotes(field) {
  if (!field.question && field.answers.length === 0) return null;
  return el(
    "div",
    { class: "answers" },
    ...field.answers.map((item) =>
      el(
        "p",
        { class: "answer" },
        el("strong", { text: `${item.called} answered: ` }),
        el("q", { text: item.answer }),
        el("span", { class: "muted small", text: ` Read back by ${item.by}, ${clock(item.at)}. Asked: ${item.question}` }),
      ),
    ),
    field.question &&
      el(
        "p",
        { class: "answer is-open" },
        el("strong", { text: "Waits for the prescriber. " }),
        `${field.question.reason}${field.question.question ? `: ${field.question.question}` : ""} `,
        el("a", { href: field.question.url, text: "Enter the answer" }),
      ),
  );
}

/** Names that this one is often mistaken for. @param {any} field @returns {HTMLElement | null} */
function lookAlikes(field) {
  if (field.look_alikes.length === 0) return null;
  return el("p", { class: "look-alikes" }, el("span", { class: "look-alikes-sign", "aria-hidden": "true", text: "≠" }), "Not to be mistaken for ", el("strong", { text: field.look_alikes.join(", ") }));
}

/** @param {any} field @returns {HTMLElement | null} */
function reasonList(field) {
  if (field.reasons.length === 0 || (field.decision && !field.conflict)) return null;
  return el(
    "ul",
    { class: "reasons", id: "card-reasons" },
    ...field.reasons.map((reason) => el("li", { class: `reason reason-${reason.severity}`, text: reason.message })),
  );
}

/** @param {any} field @param {(action: string) => void} act @returns {HTMLElement} both answers, one key each */
function conflictPanel(field, act) {
  const { current, submitted } = field.conflict;
  const theirs = current
    ? `${current.by} said at ${clock(current.at)}: ${current.label.toLowerCase()}, ${valueWords(current.value)}`
    : "The field was reopened";
  const yours = `You said: ${submitted.kind.replaceAll("_", " ")}, ${valueWords(submitted.value)}`;
  return el(
    "div",
    { class: "conflict", role: "alert" },
    el("h3", { text: "Somebody else decided this field meanwhile" }),
    el("button", { type: "button", class: "candidate", on: { click: () => act("candidate_1") } }, kbd("1"), el("span", { text: `Keep theirs. ${theirs}.` })),
    el("button", { type: "button", class: "candidate", on: { click: () => act("candidate_2") } }, kbd("2"), el("span", { text: `Use yours. ${yours}.` })),
  );
}

/** @param {any} view @returns {HTMLElement} the input in which the value is typed */
function editor(view) {
  const { field, act } = view;
  const input = el("input", {
    type: "text",
    class: "value-input",
    id: "card-input",
    "aria-label": field.title,
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
    inputmode: field.digits ? "numeric" : null,
    maxlength: "2000",
  });
  input.value = view.draft ?? field.value;
  input.addEventListener("input", () => view.onType(input.value));
  if (field.name === "drug") input.setAttribute("aria-controls", "drug-names");
  return el(
    "div",
    { class: "editor" },
    input,
    field.name === "drug" && el("ul", { class: "drug-names", id: "drug-names", "aria-label": "Drugs that begin so" }),
    el("button", { type: "button", class: "button button-primary", on: { click: () => act("commit") } }, "Save ", el("kbd", { text: "Enter" })),
    el("button", { type: "button", class: "button", on: { click: () => act("cancel") } }, "Cancel ", el("kbd", { text: "Esc" })),
  );
}

/** @param {any} view @returns {HTMLElement} what may be said of the field, with the key for each */
function actionRow(view) {
  const { field, keys, act, mayDecide } = view;
  const row = el("div", { class: "card-actions" });
  for (const action of ACTIONS) {
    if (action === "postpone" && (!field.needs_you || field.decision)) continue;
    if (action === "accept" && ((field.blind && field.needs_you) || field.choices.length > 0)) continue;
    if (action === "rebox" && field.whole_page && field.mark) continue;
    if (action === "edit" && field.mark) continue;
    if (action === "name_field" && field.name !== "unnamed") continue;
    const entry = keys.find((item) => item.action === action);
    row.append(
      el(
        "button",
        {
          type: "button",
          class: action === "accept" || (action === "edit" && field.blind) ? "button button-primary" : "button",
          disabled: (!mayDecide && action !== "read_aloud") || (action === "accept" && field.machine === "" && !field.decision && field.needs_you),
          on: { click: () => act(action) },
        },
        action === "accept" && (field.decision || !field.needs_you) ? "Next" : entry.label,
        " ",
        kbd(entry.keys[0]),
      ),
    );
  }
  return row;
}

/**
 * Draw the card of one field into `card`.
 * @param {HTMLElement} card
 * @param {{field: any, position: string, ink: HTMLElement, editing: boolean, mayDecide: boolean,
 *   keys: any[], act: (action: string) => void, hint: string, draft: string | undefined, onType: (text: string) => void}} view
 */
export function drawCard(card, view) {
  const { field, ink, editing, act } = view;
  card.setAttribute("aria-describedby", "card-value card-reasons");
  const by = field.decision
    ? el("p", { class: "decided muted small", text: `${field.decision.label} by ${field.decision.by}, ${clock(field.decision.at)}` })
    : null;
  card.replaceChildren(
    el(
      "header",
      { class: "card-head" },
      el("h2", { id: "card-title", text: field.title }),
      stateChip(field),
      struckChip(field),
      field.turn && (field.blind || field.turn === "adjudicate") && el("span", { class: "chip chip-stop", text: TURNS[field.turn] }),
      el("span", { class: "card-position muted small", text: view.position }),
    ),
    el(
      "div",
      { class: "card-body" },
      el("div", { class: "ink-frame" }, ink),
      editing ? editor(view) : el("div", { class: "value-row" }, valueLine(field), field.band && bandMeter(field)),
      field.named && el("p", { class: "named muted small", text: `${field.named}${field.box_version > 0 ? "; its box was drawn by a person" : ""}` }),
      by,
      lookAlikes(field),
      prescriberNotes(field),
      field.conflict ? conflictPanel(field, act) : field.choices.length > 0 ? adjudication(field, act) : !editing && candidateList(field, act),
      reasonList(field),
      el("p", { class: "card-hint", role: "status", text: view.hint }),
      !editing && !field.conflict && actionRow(view),
    ),
  );
}

/**
 * Draw the card that stands when no field needs this person.
 * @param {HTMLElement} card @param {any[]} fields @param {(action: string) => void} act
 */
export function drawDone(card, fields, act) {
  card.removeAttribute("aria-describedby");
  const others = fields.filter((field) => field.needs_human);
  if (others.length > 0) {
    card.replaceChildren(
      el(
        "div",
        { class: "card-body all-done" },
        el("h2", { id: "card-title", text: "Your part is done" }),
        el("p", { class: "muted", text: "These wait for somebody else before anything can be signed:" }),
        el("ul", { class: "others" }, ...others.map((field) => el("li", {}, stateChip(field), ` ${field.title}`))),
        el("a", { class: "button button-primary button-large", href: card.dataset.inbox, "data-next-scan": "" }, "To the next scan ", el("kbd", { text: "Enter" })),
      ),
    );
    return;
  }
  card.replaceChildren(
    el(
      "div",
      { class: "card-body all-done" },
      el("h2", { id: "card-title", text: "Every field is decided" }),
      el("p", { class: "muted", text: "Read the prescription once more as it will be written, then sign it." }),
      el("button", { type: "button", class: "button button-primary button-large", on: { click: () => act("release") } }, "To the signature ", el("kbd", { text: "Enter" })),
    ),
  );
}
