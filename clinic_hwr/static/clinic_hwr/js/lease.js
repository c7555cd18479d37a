/** @file Having the scan to oneself: claim it, keep it alive while working, give it back. */

import { clock } from "./dom.js";
import { post } from "./server.js";

const HEARTBEAT_MS = 30000;
// Somebody who did nothing for this long is away: the lease may end and the session may too.
const AWAY_MS = 240000;

export class Lease {
  /**
   * @param {{claimUrl: string, prolongUrl: string, endUrl: string}} urls
   * @param {{onHeld: () => void, onLost: (why: string) => void, idleMs: () => number}} handlers
   */
  constructor(urls, handlers) {
    this.urls = urls;
    this.handlers = handlers;
    this.token = "";
    this.held = false;
    setInterval(() => this.prolong(), HEARTBEAT_MS);
    addEventListener("pagehide", () => this.end());
    addEventListener("pageshow", (event) => event.persisted && this.claim());
  }

  async claim() {
    let answer;
    try {
      answer = await post(this.urls.claimUrl);
    } catch {
      this.lose("The server cannot be reached.");
      return;
    }
    if (answer.status === 200) {
      this.token = answer.body.token;
      this.held = true;
      this.handlers.onHeld();
      return;
    }
    const until = answer.body?.until ? ` They have it until ${clock(answer.body.until)}.` : "";
    this.lose(`${answer.body?.detail ?? "This scan cannot be claimed."}${until}`);
  }

  /** @param {string} why */
  lose(why) {
    this.held = false;
    this.handlers.onLost(why);
  }

  async prolong() {
    if (!this.held || this.handlers.idleMs() > AWAY_MS) return;
    try {
      const answer = await post(this.urls.prolongUrl, { lease_token: this.token });
      if (answer.status === 409) this.lose(answer.body.detail);
    } catch {
      // a missed heartbeat is no harm: the lease outlasts nine of them
    }
  }

  end() {
    if (!this.token) return;
    // the page is going: nobody hears a failure, and a lease that is not returned ends by itself
    post(this.urls.endUrl, { lease_token: this.token }, { keepalive: true }).catch(() => {});
  }
}
