/** @file What the page knows: the fields, which one is at hand, and what was decided here. No DOM, no network. */

/** @typedef {{keepCard?: boolean, focus?: boolean}} Change `keepCard`: only what stands around the card changed */

export class Review {
  /** @param {any} payload as the server sends it @param {(change: Change) => void} onChange */
  constructor(payload, onChange) {
    this.payload = payload;
    this.onChange = onChange;
    this.activeId = "";
    this.editing = false;
    this.allDone = false;
    this.hint = "";
    /** Fields decided here, newest last, for undo. @type {string[]} */
    this.decided = [];
  }

  get fields() {
    return this.payload.fields;
  }

  get active() {
    return this.byId(this.activeId);
  }

  /** @param {string} id */
  byId(id) {
    return this.fields.find((field) => field.id === id);
  }

  /** Show the first field that needs somebody, or that none does. */
  start() {
    const first = this.fields.find((field) => field.needs_human) ?? this.fields[0];
    if (!first) return;
    this.activeId = first.id;
    if (first.needs_human) this.select(first.id);
    else this.finish();
  }

  /** @param {string} id */
  select(id) {
    if (id !== this.activeId) this.hint = "";
    this.activeId = id;
    this.editing = false;
    this.allDone = false;
    this.onChange({ focus: true });
  }

  finish() {
    this.allDone = true;
    this.editing = false;
    this.onChange({ focus: true });
  }

  /** @param {string} text @param {string} [id] the field it is about; without, the one at hand */
  say(text, id = this.activeId) {
    this.activeId = id;
    this.hint = text;
    this.select(id);
  }

  edit() {
    if (this.active.mark) return;
    this.editing = true;
    this.onChange({});
  }

  nextWaiting() {
    const index = this.fields.indexOf(this.active);
    const order = [...this.fields.slice(index + 1), ...this.fields.slice(0, index + 1)];
    const next = order.find((field) => field.conflict) ?? order.find((field) => field.needs_human);
    if (next) this.select(next.id);
    else this.finish();
  }

  /** @param {number} by 1 or -1 @returns {boolean} whether there was a field to go to */
  step(by) {
    const target = this.fields[this.fields.indexOf(this.active) + by];
    if (target) this.select(target.id);
    return Boolean(target);
  }

  /** @returns {any} the first field that stands against the signature */
  firstOpen() {
    return this.fields.find((field) => field.conflict || field.needs_human);
  }

  /**
   * Say at once what the server will say: no key press waits for the network.
   * @param {any} field @param {string} kind @param {string} value @param {number} seconds
   * @returns {import("./save_queue.js").Save} what to send
   */
  decide(field, kind, value, seconds) {
    const save = {
      decision_id: crypto.randomUUID(),
      field_id: field.id,
      url: field.decide,
      kind,
      value,
      expected_number: field.number,
      active_seconds: seconds,
    };
    const reopened = kind === "reopened";
    field.number += 1;
    field.conflict = null;
    field.needs_human = reopened;
    field.value = reopened ? field.machine : value;
    field.decision = reopened
      ? null
      : { kind, label: label(kind), value, by: "you", at: new Date().toISOString(), number: field.number };
    this.editing = false;
    return save;
  }

  /** Take the server's word for every field that has nothing under way. @param {any} fresh @param {(id: string) => boolean} underWay */
  merge(fresh, underWay) {
    fresh.fields = fresh.fields.map((field) => {
      const mine = this.byId(field.id);
      if (mine && underWay(field.id)) return mine;
      return mine?.conflict ? { ...field, conflict: mine.conflict } : field;
    });
    this.payload = fresh;
    // while somebody types, the card stays as it is: redrawing it would take the caret away
    this.onChange({ keepCard: this.editing });
  }
}

/** @param {string} kind @returns {string} */
function label(kind) {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
