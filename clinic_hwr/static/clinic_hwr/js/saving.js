/** @file Between the page and the server: having the scan, sending decisions, and what comes back. */

import { find } from "./dom.js";
import { Lease } from "./lease.js";
import { banner, showSaving } from "./panels.js";
import { SaveQueue } from "./save_queue.js";
import { post } from "./server.js";

/** Decisions that follow each other faster than this are told in one go. */
const RELOAD_MS = 150;
/** A new box is read in a second or two; where it takes long, nobody needs to know to the second. */
const READING_MS = [700, 1000, 1500, 2000];
const UNREACHABLE = "The server cannot be reached. Nothing was changed; try again.";

export class Saving {
  /** @param {DOMStringMap} config the addresses @param {import("./review.js").Review} review @param {import("./active_time.js").ActiveTime} time */
  constructor(config, review, time) {
    this.config = config;
    this.review = review;
    this.time = time;
    /** How many decisions were made here; tells an old answer from a new one. */
    this.decisions = 0;
    /** The next look for what was read in a new box, and how many there were. */
    this.watching = 0;
    this.looks = 0;
    this.queue = new SaveQueue({
      send: ({ url, field_id, ...save }) => post(url, { ...save, lease_token: this.lease.token }),
      onStored: () => this.reloadSoon(),
      onRefused: (save, status, body) => this.refused(save, status, body),
      onChange: showSaving,
    });
    this.lease = new Lease(config, {
      onHeld: () => this.held(),
      onLost: (why) => this.lost(why),
      idleMs: () => time.idleMs(),
    });
    addEventListener("beforeunload", (event) => {
      const typed = [...review.drafts.values()].some((text) => text.trim() !== "");
      if (this.queue.saves.length > 0 || typed) event.preventDefault();
    });
  }

  /** @param {any} field @param {string} kind @param {string} value */
  decide(field, kind, value) {
    this.decisions += 1;
    this.queue.push(this.review.decide(field, kind, value, this.time.take(field.id)));
  }

  /**
   * Add or name a field. Decisions wait in the queue; this is answered while a dialog stands open.
   * @param {string} url @param {any} body
   * @returns {Promise<{id: string, problem: string}>} the field, or why it was refused
   */
  async change(url, body) {
    let answer;
    try {
      answer = await post(url, { ...body, lease_token: this.lease.token });
    } catch {
      return { id: "", problem: UNREACHABLE };
    }
    if (answer.status !== 200) return { id: "", problem: answer.body?.detail ?? UNREACHABLE };
    this.merge(answer.body.state);
    return { id: answer.body.field, problem: "" };
  }

  /** @param {any} fresh */
  merge(fresh) {
    this.review.merge(fresh, (id) => this.queue.concerns(id));
  }

  /** A save does not interpret; what it means is asked for when the hands rest. */
  reloadSoon() {
    clearTimeout(this.reloading);
    this.reloading = setTimeout(() => this.queue.saves.length === 0 && this.reload(), RELOAD_MS);
  }

  /** Ask again while a new box waits to be read; what is typed or decided meanwhile stands. */
  watchReading() {
    if (!this.review.reading) {
      clearTimeout(this.watching);
      this.watching = 0;
      this.looks = 0;
      return;
    }
    if (this.watching) return;
    const wait = READING_MS[Math.min(this.looks, READING_MS.length - 1)];
    this.looks += 1;
    this.watching = setTimeout(async () => {
      if (this.queue.saves.length === 0 && !document.hidden) await this.reload();
      this.watching = 0;
      this.watchReading();
    }, wait);
  }

  async reload() {
    clearTimeout(this.reloading);
    const asked = this.decisions;
    try {
      const response = await fetch(this.config.stateUrl);
      if (!response.ok) return;
      const fresh = await response.json();
      if (asked === this.decisions) this.merge(fresh);
      else this.reloadSoon(); // something was decided since: this answer is older than the page
    } catch {
      // the network is gone; the next save or heartbeat tells the person so
    }
  }

  /** @param {any} save @param {number} status @param {any} body @returns {"drop" | "hold"} */
  refused(save, status, body) {
    const code = body?.code ?? "";
    if (code === "stale_decision") {
      this.conflict(save, body);
      return "drop";
    }
    if (code === "lease_lost" || code === "lease_held") {
      this.lease.lose(body.detail);
      return "hold";
    }
    if (status === 401 || status === 403) {
      banner("Your session has ended. Nothing is lost: sign in again in a new tab, then save.", [
        ["Sign in", () => open(this.config.loginUrl, "_blank", "noopener")],
        ["Save now", () => this.lease.claim()],
      ]);
      return "hold";
    }
    this.queue.dropField(save.field_id);
    const why = body?.detail ?? "The server refused this decision.";
    this.reload().then(() => this.review.say(why, save.field_id));
    return "drop";
  }

  /** @param {any} save @param {any} body */
  async conflict(save, body) {
    this.queue.dropField(save.field_id);
    await this.reload();
    this.review.byId(save.field_id).conflict = { current: body.current, submitted: body.submitted };
    this.review.select(save.field_id);
  }

  held() {
    banner("");
    find("lease").textContent = "Yours while you work on it";
    this.queue.resume();
    this.review.onChange({ keepCard: this.review.editing });
  }

  /** @param {string} why */
  lost(why) {
    find("lease").textContent = "Not yours now";
    banner(why, [["Take it", () => this.lease.claim()]]);
    this.review.onChange({ keepCard: this.review.editing });
  }
}
