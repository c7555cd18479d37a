/** @file What a field costs: net seconds with the hands or eyes on it, long pauses cut, and key presses and clicks. */

/** A pause longer than this is not work on the field (product rule: idle over 20 s is cut). */
const IDLE_MS = 20000;
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "CapsLock", "Dead"]);

/** @typedef {{ms: number, keys: number, clicks: number}} Effort */

export class ActiveTime {
  constructor() {
    /** @type {Map<string, Effort>} */
    this.fields = new Map();
    this.id = "";
    this.last = performance.now();
    for (const type of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(type, (event) => this.touch(event), { capture: true, passive: true });
    }
  }

  /** @param {string} id @returns {Effort} */
  of(id) {
    if (!this.fields.has(id)) this.fields.set(id, { ms: 0, keys: 0, clicks: 0 });
    return this.fields.get(id);
  }

  /** @param {Event} [event] */
  touch(event) {
    const now = performance.now();
    const effort = this.of(this.id);
    effort.ms += Math.min(now - this.last, IDLE_MS);
    this.last = now;
    if (event?.type === "keydown" && !event.repeat && !MODIFIERS.has(event.key)) effort.keys += 1;
    if (event?.type === "pointerdown") effort.clicks += 1;
  }

  /** The time from now on is this field's. @param {string} id */
  enter(id) {
    if (id === this.id) return;
    this.touch();
    this.id = id;
  }

  /** @returns {number} whole milliseconds since the person last did anything */
  idleMs() {
    return performance.now() - this.last;
  }

  /** @param {string} id @returns {{active_seconds: number, keys_used: number, clicks_used: number}} since the last take; starts anew */
  take(id) {
    this.touch();
    const { ms, keys, clicks } = this.of(id);
    this.fields.delete(id);
    return { active_seconds: Math.round(ms) / 1000, keys_used: keys, clicks_used: clicks };
  }
}
