/** @file What every key and button of the workstation does, by the action names of keys.json. */

import { find } from "./dom.js";

const DECIDING = new Set(["accept", "illegible", "not_present", "not_applicable", "edit", "commit", "undo"]);
const CHANGING = new Set(["add_field", "name_field"]);
const NOTHING_READ = "Nothing was read here. Press E and type, or N if nothing is written.";

export class Commands {
  /**
   * @param {import("./review.js").Review} review
   * @param {import("./saving.js").Saving} saving
   * @param {{zoom: () => void, help: () => void, list: () => void, add: () => void, name: (field: any) => void, releaseUrl: string}} page
   */
  constructor(review, saving, page) {
    this.review = review;
    this.saving = saving;
    this.page = page;
  }

  /** @param {string} action @returns {boolean} whether the key was used up */
  act(action) {
    const { review, saving } = this;
    const field = review.active;
    const candidate = action.startsWith("candidate_");
    if ((DECIDING.has(action) || CHANGING.has(action) || candidate) && !saving.lease.held) {
      if (field && !review.allDone) this.warn("This scan is not yours now; take it first.");
      return true;
    }
    if (!field && action !== "help" && action !== "add_field") return false;
    if (review.allDone) return this.actWhenDone(action);
    if (candidate) {
      this.takeCandidate(Number(action.at(-1)) - 1);
      return true;
    }
    if (field?.conflict && DECIDING.has(action)) return true; // first say which answer stands
    return this.actOnField(action, field);
  }

  /** @param {string} action @returns {boolean} */
  actWhenDone(action) {
    switch (action) {
      case "accept":
        this.toRelease();
        return true;
      case "release":
      case "undo":
      case "help":
      case "list":
      case "add_field":
        return this.actOnField(action, this.review.active);
      default:
        return false;
    }
  }

  /** @param {string} action @param {any} field @returns {boolean} */
  actOnField(action, field) {
    const { review } = this;
    switch (action) {
      case "accept":
        if (field.decision) review.nextWaiting();
        else if (field.machine !== "") this.decide("accepted", field.machine);
        else review.say(field.mark ? "Say present (1) or absent (2)." : NOTHING_READ);
        return true;
      case "illegible":
      case "not_present":
      case "not_applicable":
        this.decide(action, "");
        return true;
      case "edit":
        review.edit();
        return true;
      case "commit":
        this.commit();
        return true;
      case "cancel":
        review.select(review.activeId);
        return true;
      case "undo":
        this.undo();
        return true;
      case "zoom":
        this.page.zoom();
        return true;
      case "next":
        return review.step(1);
      case "previous":
        return review.step(-1);
      case "list":
        this.page.list();
        return true;
      case "release":
        this.toRelease();
        return true;
      case "name_field":
        if (this.saving.queue.concerns(field.id)) review.say("This field is being saved; press again in a moment.");
        else this.page.name(field);
        return true;
      case "add_field":
        this.page.add();
        return true;
      case "help":
        this.page.help();
        return true;
      default:
        return false;
    }
  }

  /** @param {string} kind @param {string} value */
  decide(kind, value) {
    const field = this.review.active;
    this.saving.decide(field, kind, value);
    this.review.decided.push(field.id);
    this.review.nextWaiting();
  }

  /** @param {string} value a text the person chose or typed */
  decideText(value) {
    this.decide(value === this.review.active.machine ? "accepted" : "corrected", value);
  }

  commit() {
    const text = document.getElementById("card-input").value.trim();
    if (text !== "") this.decideText(text);
    else this.warn("Type a value, or press Esc and then N if nothing is written.");
  }

  /** @param {string} text said without taking away what stands in the input */
  warn(text) {
    if (this.review.editing) document.querySelector(".card-hint").textContent = text;
    else this.review.say(text);
  }

  /** @param {number} index 0..4 */
  takeCandidate(index) {
    const field = this.review.active;
    if (field.conflict) {
      this.resolveConflict(field, index);
      return;
    }
    const text = field.candidates[index];
    if (text !== undefined && field.candidates.length > 1) this.decideText(text);
  }

  /** @param {any} field @param {number} index 0 keeps theirs, 1 sends yours again on top of it */
  resolveConflict(field, index) {
    const { submitted } = field.conflict;
    if (index > 1) return;
    field.conflict = null;
    if (index === 1) this.decide(submitted.kind, submitted.value);
    else this.review.nextWaiting();
  }

  undo() {
    const id = this.review.decided.pop();
    if (!id) return;
    const field = this.review.byId(id);
    if (field.decision) this.saving.decide(field, "reopened", "");
    this.review.say("Taken back. The field is open again.", id);
  }

  async toRelease() {
    const open = this.review.firstOpen();
    if (open) {
      this.review.say("This field still needs you before the signature.", open.id);
      return;
    }
    find("save").textContent = "Saving before the signature…";
    await this.saving.queue.drained();
    location.assign(this.page.releaseUrl);
  }
}
