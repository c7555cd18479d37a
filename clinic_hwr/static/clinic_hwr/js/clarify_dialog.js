/** @file The dialog that puts a question to the prescriber; the templates come with the page. */

import { find } from "./dom.js";

export class ClarifyDialog {
  /** @param {import("./review.js").Review} review @param {import("./saving.js").Saving} saving */
  constructor(review, saving) {
    this.review = review;
    this.saving = saving;
    this.dialog = find("clarify");
    this.reason = document.getElementById("clarify-reason");
    this.question = document.getElementById("clarify-question");
    this.field = null;
    this.id = "";
    this.reason.addEventListener("change", () => this.fill());
    find("clarify-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    find("clarify-cancel").addEventListener("click", () => this.dialog.close());
  }

  /** @param {any} field */
  open(field) {
    this.field = field;
    this.id = crypto.randomUUID(); // sending it again after a lost answer asks once
    find("clarify-problem").textContent = field.question ? "A question about this field is open already." : "";
    document.getElementById("clarify-title").textContent = `Ask the prescriber: ${field.title}`;
    const names = ({ dataset }) => dataset.names.split(" ");
    const options = [...this.reason.options];
    const fitting = options.find((option) => names(option)[0] === field.name) ?? options.find((option) => names(option).includes(field.name));
    this.reason.value = (fitting ?? options.at(-1)).value;
    this.fill();
    this.dialog.showModal();
    this.reason.focus();
  }

  /** Start from the template's words. */
  fill() {
    this.question.value = this.reason.selectedOptions[0]?.dataset.question ?? "";
  }

  async send() {
    const send = find("clarify-send");
    send.disabled = true;
    const body = { clarification_id: this.id, reason: this.reason.value, question: this.question.value };
    const { problem } = await this.saving.change(this.field.ask_url, body);
    send.disabled = false;
    find("clarify-problem").textContent = problem;
    if (problem) return;
    this.dialog.close();
    this.review.nextWaiting();
  }
}
