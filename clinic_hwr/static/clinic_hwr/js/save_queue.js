/**
 * @file Decisions on their way to the server: one after the other, kept in memory until stored.
 *
 * A decision carries an id chosen here, so sending it again after a lost answer changes nothing.
 * Nothing is ever written to browser storage: these are patient data.
 */

/** @typedef {{decision_id: string, field_id: string, url: string, kind: string, value: string,
 *   expected_number: number, active_seconds: number, keys_used: number, clicks_used: number}} Save */

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

export class SaveQueue {
  /**
   * @param {{
   *   send: (save: Save) => Promise<{status: number, body: any}>,
   *   onStored: (save: Save, body: any) => void,
   *   onRefused: (save: Save, status: number, body: any) => "drop" | "hold",
   *   onChange: (state: {waiting: number, retryAt: number | null, held: boolean}) => void,
   * }} handlers `send` rejects when the network fails; a refused save is dropped, or held until `resume`
   */
  constructor(handlers) {
    this.handlers = handlers;
    /** @type {Save[]} */
    this.saves = [];
    this.sending = false;
    this.held = false;
    this.tries = 0;
    /** @type {number | null} */
    this.retryAt = null;
    this.timer = 0;
    /** @type {(() => void)[]} */
    this.whenEmpty = [];
    addEventListener("online", () => this.retryNow());
  }

  /** @param {Save} save */
  push(save) {
    this.saves.push(save);
    this.changed();
    this.run();
  }

  /** @param {string} fieldId @returns {boolean} whether a decision of this field is under way */
  concerns(fieldId) {
    return this.saves.some((save) => save.field_id === fieldId);
  }

  /** Forget what is under way for one field (its conflict was shown to the person). @param {string} fieldId */
  dropField(fieldId) {
    this.saves = this.saves.filter((save) => save.field_id !== fieldId);
    this.changed();
  }

  /** Go on after a hold, with whatever changed meanwhile (a new lease). */
  resume() {
    this.held = false;
    this.retryNow();
  }

  retryNow() {
    clearTimeout(this.timer);
    this.retryAt = null;
    this.run();
  }

  /** @returns {Promise<void>} settled once everything is stored */
  drained() {
    if (this.saves.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenEmpty.push(resolve));
  }

  changed() {
    this.handlers.onChange({ waiting: this.saves.length, retryAt: this.retryAt, held: this.held });
    if (this.saves.length === 0) this.whenEmpty.splice(0).forEach((resolve) => resolve());
  }

  async run() {
    if (this.sending || this.held || this.retryAt !== null) return;
    this.sending = true;
    while (this.saves.length > 0 && !this.held) {
      const save = this.saves[0];
      let answer;
      try {
        answer = await this.handlers.send(save);
      } catch {
        answer = null; // the network failed: the same as a server that cannot answer now
      }
      if (answer === null || answer.status >= 500 || answer.status === 429) {
        this.sending = false;
        this.later();
        return;
      }
      this.tries = 0;
      if (answer.status < 300) {
        this.saves = this.saves.filter((other) => other !== save);
        this.handlers.onStored(save, answer.body);
      } else if (this.handlers.onRefused(save, answer.status, answer.body) === "drop") {
        this.saves = this.saves.filter((other) => other !== save);
      } else {
        this.held = true;
      }
      this.changed();
    }
    this.sending = false;
  }

  later() {
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.retryAt = Date.now() + wait;
    this.timer = setTimeout(() => this.retryNow(), wait);
    this.changed();
  }
}
