/** @file Net seconds on a field: time with the hands or eyes on it, long pauses cut. */

/** A pause longer than this is not work on the field (product rule: idle over 20 s is cut). */
const IDLE_MS = 20000;

export class ActiveTime {
  constructor() {
    this.ms = 0;
    this.last = performance.now();
    for (const type of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(type, () => this.touch(), { capture: true, passive: true });
    }
  }

  touch() {
    const now = performance.now();
    this.ms += Math.min(now - this.last, IDLE_MS);
    this.last = now;
  }

  /** @returns {number} whole milliseconds since the person last did anything */
  idleMs() {
    return performance.now() - this.last;
  }

  /** @returns {number} seconds since the last take; starts anew */
  take() {
    this.touch();
    const seconds = Math.round(this.ms) / 1000;
    this.ms = 0;
    return seconds;
  }
}
