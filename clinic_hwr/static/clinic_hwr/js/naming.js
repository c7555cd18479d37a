/** @file The dialog that adds a field the page finder missed, or says what a field is. */

import { find } from "./dom.js";

export class Naming {
  /** @param {import("./review.js").Review} review @param {import("./saving.js").Saving} saving @param {string} addUrl */
  constructor(review, saving, addUrl) {
    this.review = review;
    this.saving = saving;
    this.addUrl = addUrl;
    this.dialog = find("naming");
    this.name = document.getElementById("naming-name");
    this.group = document.getElementById("naming-group");
    /** What is sent besides name and number, and where. @type {{url: string, body: any}} */
    this.target = { url: "", body: {} };
    this.name.addEventListener("change", () => this.fit());
    find("naming-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    find("naming-cancel").addEventListener("click", () => this.dialog.close());
  }

  /** Add a field to the page that is in sight. */
  add() {
    const { active, payload } = this.review;
    const page = active?.page ?? 1;
    const where = payload.pages.length > 1 ? ` to page ${page}` : "";
    // the number is chosen here: sending it again after a lost answer adds no second field
    this.target = { url: this.addUrl, body: { field_id: crypto.randomUUID(), page } };
    this.open(`Add a field${where}`, "Add and type its value", active?.group || 1);
  }

  /** @param {any} field the field to be named */
  nameField(field) {
    this.target = { url: field.name_url, body: {} };
    this.open("What is this field?", "This is it", field.group || 1);
  }

  /** @param {string} title @param {string} word on the button @param {number} group */
  open(title, word, group) {
    document.getElementById("naming-title").textContent = title;
    find("naming-send").textContent = word;
    find("naming-problem").textContent = "";
    this.name.value = "";
    this.group.value = String(group);
    this.fit();
    this.dialog.showModal();
    this.name.focus();
  }

  /** Ask for the medication number where there is one. */
  fit() {
    const need = this.name.selectedOptions[0]?.dataset.medication ?? "";
    find("naming-group-row").hidden = need === "";
    this.group.required = need === "required";
    find("naming-optional").hidden = need !== "optional";
  }

  async send() {
    const send = find("naming-send");
    const group = find("naming-group-row").hidden ? 0 : Number(this.group.value);
    send.disabled = true;
    const { id, problem } = await this.saving.change(this.target.url, { ...this.target.body, name: this.name.value, group });
    send.disabled = false;
    find("naming-problem").textContent = problem;
    if (problem) return;
    this.dialog.close();
    this.review.select(id);
    // nothing was read in a new field: what comes next is typing
    if (this.target.url === this.addUrl) this.review.edit();
  }
}
