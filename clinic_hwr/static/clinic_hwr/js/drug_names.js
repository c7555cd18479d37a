/** @file Drug names to choose from while typing: from five letters on, each with the names it is mistaken for. */

import { el } from "./dom.js";
import { post } from "./server.js";

const LEAST_LETTERS = 5;
const PAUSE_MS = 120;

export class DrugNames {
  /** @param {string} url @param {string} scan */
  constructor(url, scan) {
    this.url = url;
    this.scan = scan;
    this.timer = 0;
  }

  /** @param {HTMLInputElement} input @param {(text: string) => void} onType */
  suggest(input, onType) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(input, onType), PAUSE_MS);
  }

  /** @param {HTMLInputElement} input @param {(text: string) => void} onType */
  async ask(input, onType) {
    const list = document.getElementById("drug-names");
    const text = input.value.trim();
    if (!list) return;
    let drugs = [];
    if (text.length >= LEAST_LETTERS) {
      try {
        const answer = await post(this.url, { scan: this.scan, text });
        drugs = answer.status === 200 ? answer.body.drugs : [];
      } catch {
        drugs = []; // typing goes on without the list
      }
    }
    if (input.value.trim() !== text) return;
    list.replaceChildren(
      ...drugs.map((drug) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: "candidate",
              on: {
                click: () => {
                  input.value = drug.name;
                  onType(input.value);
                  list.replaceChildren();
                  input.focus();
                },
              },
            },
            el("span", { text: drug.shown }),
            drug.alike.length > 0 && el("span", { class: "candidate-note", text: `▲ not ${drug.alike.join(", ")}` }),
          ),
        ),
      ),
    );
  }
}
