/** @file What every key and button of the workstation does, by the action names of keys.json. */

import { find } from "./dom.js";
import { readAloud } from "./speech.js";

const CHANGING = new Set([
  "accept", "illegible", "not_present", "not_applicable", "edit", "commit", "undo", "postpone", "clarify", "rebox", "add_field", "name_field",
]);
const DECIDING = new Set(["accept", "illegible", "not_present", "not_applicable", "edit", "commit", "undo", "postpone"]);
/** These do the same whatever stands on the card. */
const WITHOUT_FIELD = new Set(["release", "undo", "help", "list", "add_field", "zoom", "zoom_in", "zoom_out", "zoom_reset", "pan_left", "pan_right", "pan_up", "pan_down", "hold", "invert"]);
const NOTHING_READ = "Nothing was read here. Press E and type, or N if nothing is written.";
const OTHERS = {
  second: "You have entered this field. Another person enters it now.",
  pharmacist: "Two entries differ. A pharmacist who made neither of them decides.",
  prescriber: "This field waits for the prescriber's answer.",
};

export class Commands {
  /**
   * @param {import("./review.js").Review} review
   * @param {import("./saving.js").Saving} saving
   * @param {any} page what only the page can do: sheet, dialogs, addresses
   */
  constructor(review, saving, page) {
    this.review = review;
    this.saving = saving;
    this.page = page;
    /** @type {Object<string, (field: any) => boolean | void>} false: the key was not used up */
    this.handlers = {
      accept: (field) => this.accept(field),
      illegible: () => this.decide("illegible", ""),
      not_present: () => this.decide("not_present", ""),
      not_applicable: () => this.decide("not_applicable", ""),
      edit: (field) => this.edit(field),
      commit: () => this.commit(),
      cancel: () => this.cancel(),
      next_doubt: (field) => page.nextDoubt(field),
      postpone: (field) => this.postpone(field),
      clarify: (field) => this.quiet(field, () => page.clarify(field)),
      rebox: (field) => this.quiet(field, () => page.rebox.start(field)),
      name_field: (field) => this.quiet(field, () => page.name(field)),
      add_field: () => page.add(),
      undo: () => this.undo(),
      read_aloud: (field) => this.readAloud(field),
      zoom: () => page.zoom(),
      zoom_in: () => page.sheet.scale(1.25),
      zoom_out: () => page.sheet.scale(0.8),
      zoom_reset: () => page.sheet.reset(),
      pan_left: () => page.sheet.pan(-1, 0),
      pan_right: () => page.sheet.pan(1, 0),
      pan_up: () => page.sheet.pan(0, -1),
      pan_down: () => page.sheet.pan(0, 1),
      hold: () => page.hold(),
      invert: () => page.invert(),
      next: () => review.step(1),
      previous: () => review.step(-1),
      list: () => page.list(),
      release: () => void this.toRelease(),
      help: () => page.help(),
      box_save: () => page.rebox.save(),
      box_cancel: () => page.rebox.stop(),
      box_left: () => page.rebox.move(-1, 0),
      box_right: () => page.rebox.move(1, 0),
      box_up: () => page.rebox.move(0, -1),
      box_down: () => page.rebox.move(0, 1),
      box_narrower: () => page.rebox.size(-1, 0),
      box_wider: () => page.rebox.size(1, 0),
      box_lower: () => page.rebox.size(0, -1),
      box_higher: () => page.rebox.size(0, 1),
    };
  }

  /** @param {string} action @returns {boolean} whether the key was used up */
  act(action) {
    const { review, saving } = this;
    const field = review.active;
    const candidate = action.startsWith("candidate_");
    if ((action === "accept" || candidate) && review.justCame(field)) return true;
    if ((CHANGING.has(action) || candidate) && !saving.lease.held) {
      if (field && !review.allDone) this.warn("This scan is not yours now; take it first.");
      return true;
    }
    if (!field && action !== "help" && action !== "add_field") return false;
    if (review.allDone && !WITHOUT_FIELD.has(action)) return action === "accept" ? this.whenDone() : false;
    if (candidate) {
      this.takeCandidate(Number(action.at(-1)) - 1);
      return true;
    }
    if (field?.conflict && DECIDING.has(action)) return true; // first say which answer stands
    return this.handlers[action]?.(field) !== false;
  }

  /** Enter when nothing needs this person: on to the signature, or to the next scan. @returns {boolean} */
  whenDone() {
    if (this.review.fields.some((field) => field.needs_human)) find("next-scan")?.click();
    else this.toRelease();
    return true;
  }

  /** @param {any} field */
  accept(field) {
    const { review } = this;
    if (field.waits_for && field.waits_for !== "you") {
      if (review.waiting().length > 0) review.nextWaiting();
      else review.finish();
      return;
    }
    if (field.decision && !field.needs_you) review.nextWaiting();
    else if (field.blind) review.edit();
    else if (field.choices?.length > 0) review.say("Two entries differ. Choose 1, 2 or 3, or press E and type.");
    else if (field.machine !== "") this.decide("accepted", field.machine);
    else review.say(field.mark ? "Say present (1) or absent (2)." : NOTHING_READ);
  }

  /** @param {any} field */
  edit(field) {
    if (this.isMine(field)) this.review.edit();
  }

  cancel() {
    this.review.drafts.delete(this.review.activeId);
    this.review.select(this.review.activeId, { edit: false });
  }

  /** @param {any} field @returns {boolean} whether this person may say something of the field; says why not */
  isMine(field) {
    const why = field.decision ? "" : OTHERS[field.waits_for];
    if (field.waits_for === "pharmacist" || field.waits_for === "prescriber" || why) {
      this.review.say(OTHERS[field.waits_for]);
      return false;
    }
    return true;
  }

  /** Things that change the field itself wait until its decisions are stored. @param {any} field @param {() => void} then */
  quiet(field, then) {
    if (this.saving.queue.concerns(field.id)) this.review.say("This field is being saved; press again in a moment.");
    else then();
  }

  /** @param {string} kind @param {string} value */
  decide(kind, value) {
    const field = this.review.active;
    if (!this.isMine(field)) return;
    this.saving.decide(field, kind, value);
    this.review.remember(field.id);
    this.review.nextWaiting();
  }

  /** @param {any} field */
  postpone(field) {
    if (field.decision || !field.needs_you) {
      this.review.say("This field does not wait for you; there is nothing to postpone.");
      return;
    }
    this.saving.decide(field, "postponed", "");
    this.review.nextWaiting();
  }

  /** @param {string} value a text the person chose or typed */
  decideText(value) {
    const { blind, machine } = this.review.active;
    this.decide(!blind && value === machine ? "accepted" : "corrected", value);
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
    if (field.choices?.length > 0) {
      const choice = field.choices[index];
      if (choice) this.decide(choice.kind, choice.value);
      return;
    }
    const found = field.candidates[index];
    if (found !== undefined && field.candidates.length > 1) this.decideText(found.text);
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
    const last = this.review.done.at(-1);
    const field = last && this.review.byId(last.field);
    if (last?.what === "box") {
      this.quiet(field, () => this.undoBox(field));
      return;
    }
    this.review.done.pop();
    if (!field) return;
    if (field.decision) this.saving.decide(field, "reopened", "");
    this.review.say("Taken back. The field is open again.", field.id);
  }

  /** @param {any} field whose box is as it was before again, with what was read there */
  async undoBox(field) {
    this.review.done.pop();
    const { problem } = await this.saving.change(field.box_undo_url, { box_version: field.box_version });
    if (problem) this.review.remember(field.id, "box");
    this.review.say(problem || "The box is as it was, with what was read in it.", field.id);
  }

  /** @param {any} field */
  readAloud(field) {
    const value = field.value || field.decision?.label || (field.blind ? "not entered yet" : "nothing was read");
    if (!readAloud(`${field.title}: ${value}`)) this.warn("This browser cannot read aloud.");
  }

  async toRelease() {
    const { review, saving } = this;
    const open = review.firstOpen();
    if (open) {
      const why = open.needs_you || open.conflict ? "This field still needs you before the signature." : OTHERS[open.waits_for];
      review.say(why ?? "This field is not decided yet.", open.id);
      return;
    }
    find("save").textContent = "Saving before the signature…";
    await saving.queue.drained();
    await saving.reload();
    if (!review.firstOpen()) location.assign(this.page.releaseUrl);
    else this.toRelease();
  }
}
