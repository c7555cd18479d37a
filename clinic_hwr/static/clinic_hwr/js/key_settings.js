/** @file The list behind `?`: which keys are valid here, and giving an action another key. */

import { el, find } from "./dom.js";
import { keySign } from "./field_card.js";
import { pressName } from "./key_map.js";
import { post } from "./server.js";

const MODE_WORDS = { command: "On the field card", edit: "While typing", box: "While drawing a box", always: "Everywhere" };

export class KeySettings {
  /** @param {import("./key_map.js").KeyMap} keys @param {string} url @param {() => void} onChange */
  constructor(keys, url, onChange) {
    this.keys = keys;
    this.url = url;
    this.onChange = onChange;
    this.dialog = find("keys");
    /** The action whose new key is awaited. */
    this.awaiting = "";
    find("keys-reset").addEventListener("click", () => this.send({ reset: true }));
    this.dialog.addEventListener("keydown", (event) => this.press(event), { capture: true });
    this.dialog.addEventListener("close", () => (this.awaiting = ""));
  }

  /** @param {(entry: any) => boolean} isValid whether a key does something where the person is */
  open(isValid) {
    this.isValid = isValid;
    find("keys-problem").textContent = "";
    this.draw();
    this.dialog.showModal();
  }

  draw() {
    const here = this.keys.entries.filter(this.isValid);
    const elsewhere = this.keys.entries.filter((entry) => !this.isValid(entry));
    find("key-list").replaceChildren(...here.map((entry) => this.line(entry)));
    find("key-list-more").replaceChildren(...elsewhere.map((entry) => this.line(entry)));
    find("keys-more").hidden = elsewhere.length === 0;
    find("keys-reset").hidden = !this.keys.entries.some((entry) => entry.own);
  }

  /** @param {any} entry */
  line(entry) {
    const waits = this.awaiting === entry.action;
    const signs = entry.keys.map((key) => el("kbd", { text: key.length === 1 ? keySign(key) : key.split("+").map(keySign).join(" + ") }));
    return el(
      "div",
      { class: "key-line" },
      el("span", { class: "key-signs" }, ...(waits ? [el("em", { text: "Press a key…" })] : signs)),
      el("span", { class: "key-words" }, entry.help, entry.mode !== "command" && el("span", { class: "muted", text: ` (${MODE_WORDS[entry.mode].toLowerCase()})` })),
      el("button", {
        type: "button",
        class: "button button-quiet button-small key-change",
        "aria-label": waits ? `Cancel changing the key of ${entry.label}` : `Change the key of ${entry.label}`,
        text: waits ? "Cancel" : "Change",
        on: { click: () => this.wait(waits ? "" : entry.action) },
      }),
    );
  }

  /** @param {string} action */
  wait(action) {
    this.awaiting = action;
    this.draw();
    if (action) find("keys-focus").focus(); // a focused button would take Enter and Space for itself
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (!this.awaiting || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    if (event.target.closest("button") && ["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const action = this.awaiting;
    this.awaiting = "";
    this.send({ action, keys: [pressName(event)] });
  }

  /** @param {any} body */
  async send(body) {
    let answer;
    try {
      answer = await post(this.url, body);
    } catch {
      answer = { status: 0, body: null };
    }
    const good = answer.status === 200;
    find("keys-problem").textContent = good ? "" : (answer.body?.detail ?? "The server cannot be reached. The keys are as they were.");
    if (good) this.keys.use(answer.body.keys);
    this.draw();
    this.onChange();
  }
}
