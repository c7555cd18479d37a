/** @file What the page knows: the fields, which one is at hand, and what was decided here. No DOM, no network. */

/** @typedef {{keepCard?: boolean, focus?: boolean}} Change `keepCard`: only what stands around the card changed */

const UNDO_DEPTH = 50;
/** Nobody has read a value that came in less than this long ago. */
const UNSEEN_MS = 600;
const CAME = "This ink is read now. Look at it before you accept it.";

export class Review {
  /** @param {any} payload as the server sends it @param {(change: Change) => void} onChange */
  constructor(payload, onChange) {
    this.payload = payload;
    this.onChange = onChange;
    this.activeId = "";
    this.editing = false;
    this.allDone = false;
    this.hint = "";
    /** The field whose input opened by itself. */
    this.opened = "";
    /** What this person did, newest last, for undo; the server knows it after a reload. @type {{field: string, what: "decision" | "box"}[]} */
    this.done = [...payload.undoable];
    /** When what was read in a new box came in, by field. @type {Map<string, number>} */
    this.arrivals = new Map();
    /** What was typed and not saved, by field: leaving a field loses nothing. @type {Map<string, string>} */
    this.drafts = new Map();
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

  /** Show the first field that needs this person, or that none does. */
  start() {
    const first = this.waiting()[0] ?? this.fields[0];
    if (!first) return;
    this.activeId = first.id;
    if (first.needs_you) this.select(first.id);
    else this.finish();
  }

  /** @param {string} id @param {{edit?: boolean}} [how] a field that is entered blind opens its input by itself */
  select(id, { edit = this.opensItself(this.byId(id)) } = {}) {
    if (id !== this.activeId) this.hint = "";
    this.activeId = id;
    this.editing = edit;
    this.opened = edit ? id : "";
    this.allDone = false;
    this.onChange({ focus: true });
  }

  /** @param {any} field @returns {boolean} nothing can be accepted there: typing is what comes next */
  opensItself(field) {
    return Boolean(field?.blind && field.needs_you && !field.decision && !field.conflict && !field.mark);
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
    this.select(id, { edit: false });
  }

  edit() {
    if (this.active.mark) return;
    this.editing = true;
    this.onChange({});
  }

  /** @returns {any[]} what needs this person, in the order of the page; what was postponed comes last */
  waiting() {
    const open = this.fields.filter((field) => field.needs_you);
    return [...open.filter((field) => !field.postponed), ...open.filter((field) => field.postponed)];
  }

  nextWaiting() {
    const index = this.fields.indexOf(this.active);
    const order = [...this.fields.slice(index + 1), ...this.fields.slice(0, index + 1)];
    const next =
      order.find((field) => field.conflict) ??
      order.find((field) => field.needs_you && !field.postponed) ??
      order.find((field) => field.needs_you);
    if (next) this.select(next.id);
    else this.finish();
  }

  /** @param {number} by 1 or -1 @returns {boolean} whether there was a field to go to */
  step(by) {
    const target = this.fields[this.fields.indexOf(this.active) + by];
    if (target) this.select(target.id, { edit: false });
    return Boolean(target);
  }

  /** @returns {any} the first field that stands against the signature, those of this person first */
  firstOpen() {
    return this.fields.find((field) => field.conflict || field.needs_you) ?? this.fields.find((field) => field.needs_human);
  }

  /** @param {string} field id @param {"decision" | "box"} what was just done to it */
  remember(field, what = "decision") {
    // decided once more is one step; each new box is a step of its own
    const others = this.done.filter((other) => what === "box" || other.field !== field || other.what !== what);
    this.done = [...others, { field, what }].slice(-UNDO_DEPTH);
  }

  /** Whether a box waits to be read. @returns {boolean} */
  get reading() {
    return this.fields.some((field) => field.reading === "waiting" && !field.decision);
  }

  /** Whether what stands on the card came in this very moment: a key pressed now was not meant for it. @param {any} field @returns {boolean} */
  justCame(field) {
    return performance.now() - (this.arrivals.get(field?.id) ?? -Infinity) < UNSEEN_MS;
  }

  /**
   * Say at once what the server will say: no key press waits for the network.
   * @param {any} field @param {string} kind @param {string} value
   * @param {{active_seconds: number, keys_used: number, clicks_used: number}} effort
   * @returns {import("./save_queue.js").Save} what to send
   */
  decide(field, kind, value, effort) {
    const save = {
      decision_id: crypto.randomUUID(),
      field_id: field.id,
      url: field.decide,
      kind,
      value,
      expected_number: field.number,
      ...effort,
    };
    field.number += 1;
    field.conflict = null;
    field.postponed = kind === "postponed";
    this.editing = false;
    if (field.postponed) return save;
    this.drafts.delete(field.id);
    const reopened = kind === "reopened";
    const blind = field.blind && !reopened;
    field.needs_human = reopened || blind; // whether the second person is needed, the server says
    field.needs_you = reopened;
    field.waits_for = reopened ? "you" : blind ? "second" : "";
    field.choices = [];
    field.value = reopened ? field.machine : value;
    field.decision = reopened
      ? null
      : { kind, label: blind && value ? "Entered" : label(kind), value, by: "you", at: new Date().toISOString(), number: field.number };
    return save;
  }

  /** @param {any} field whose new box was read */
  came(field) {
    this.arrivals.set(field.id, performance.now());
    if (field.id === this.activeId && !this.allDone) this.hint = CAME;
  }

  /** Take the server's word for every field that has nothing under way. @param {any} fresh @param {(id: string) => boolean} underWay */
  merge(fresh, underWay) {
    fresh.fields = fresh.fields.map((field) => {
      const mine = this.byId(field.id);
      if (mine && underWay(field.id)) return mine;
      if (mine?.reading === "waiting" && field.reading === "read") this.came(field);
      return mine?.conflict ? { ...field, conflict: mine.conflict } : field;
    });
    this.payload = fresh;
    const { active } = this;
    if (this.editing && active?.blind === false && active.decision && this.opened === active.id && !this.drafts.has(active.id)) {
      this.nextWaiting(); // nothing is typed, and the field needs nobody any more
      return;
    }
    if (this.allDone && this.waiting().length > 0) {
      this.nextWaiting(); // interpretation found something that needs this person after all
      return;
    }
    // while somebody types, the card stays as it is: redrawing it would take the caret away
    this.onChange({ keepCard: this.editing });
  }
}

/** @param {string} kind @returns {string} */
function label(kind) {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
