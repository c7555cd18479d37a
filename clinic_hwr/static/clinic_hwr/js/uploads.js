/** @file Sending files: bytes as they really leave, then what the server really says of each file. */

import { el } from "./dom.js";
import { csrfToken } from "./server.js";

const MAX_BYTES = 25 * 1024 * 1024;
// Two at a time keep the line busy; more would only share it.
const AT_ONCE = 2;
const ASK_MS = 1500;
/** What the server's states are called here; those without `more` are final for an upload. */
const STATES = {
  received: { words: "Received, waits to be read", more: true },
  paged: { words: "Pages ready", more: true },
  read: { words: "Read", more: true },
  in_review: { words: "In review", good: true },
  verified: { words: "Read, ready to sign", good: true },
  released: { words: "Released", good: true },
  delivered: { words: "Delivered", good: true },
  quarantined: { words: "Put aside", bad: true },
  rejected: { words: "Not taken", bad: true },
};

/** @param {number} bytes @returns {string} the size as people say it */
export function sizeWords(bytes) {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** One file of the list: its line on the page and where it stands. */
class Upload {
  /** @param {File} file @param {string} scanUrl */
  constructor(file, scanUrl) {
    this.file = file;
    this.scanUrl = scanUrl;
    this.id = "";
    this.state = file.size > MAX_BYTES ? "too_large" : "chosen";
    // the same key for every try of this file, so that a repeat after a lost answer adds nothing
    this.key = crypto.randomUUID();
    this.bar = el("progress", { max: 100, value: 0, hidden: true, "aria-label": `Sending ${file.name}` });
    this.words = el("span", { class: "upload-words" });
    this.line = el("li", {}, el("span", { class: "upload-name", text: file.name }), this.words, this.bar);
    this.say(this.state === "too_large" ? `${sizeWords(file.size)}, over 25 MB` : sizeWords(file.size), this.state === "too_large" ? "bad" : "");
  }

  /** @param {string} words @param {string} [tone] "good", "bad" or "" */
  say(words, tone = "") {
    this.words.className = `upload-words ${tone ? `is-${tone}` : ""}`;
    this.words.textContent = words;
  }

  /** @param {string} url @param {string} site @param {string} split @returns {Promise<void>} resolves when the server answered or nobody did */
  send(url, site, split) {
    this.state = "sending";
    this.bar.hidden = false;
    const body = new FormData();
    body.append("site", site);
    body.append("split", split);
    body.append("file", this.file);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Idempotency-Key", this.key);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.floor((100 * event.loaded) / event.total);
      this.bar.value = percent;
      this.say(percent < 100 ? `${percent} % sent` : "Sent; the server checks it");
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        this.bar.hidden = true;
        this.answered(request);
        resolve();
      });
      request.send(body);
    });
  }

  /** @param {XMLHttpRequest} request */
  answered(request) {
    let body = null;
    try {
      body = JSON.parse(request.responseText);
    } catch {
      // no JSON: a proxy, or no answer at all
    }
    if (request.status === 202 && body?.scans?.length === 1) {
      this.show(body.scans[0]);
      return;
    }
    this.state = "failed";
    const why = body?.detail ?? (request.status ? `The server answered ${request.status}.` : "No answer from the server.");
    this.say(`Not sent. ${why}`, "bad");
  }

  /** @param {{scan_id: string, status: string, duplicate_of: string|null, problem: {message: string}|null}} scan */
  show(scan) {
    this.id = scan.scan_id;
    this.state = scan.status;
    const { words, good, bad } = STATES[scan.status] ?? { words: scan.status };
    const known = scan.duplicate_of ? "Already here: " : "";
    this.say(known + words + (scan.problem ? `. ${scan.problem.message}` : ""), bad ? "bad" : good ? "good" : "");
    if (this.words.querySelector("a")) return;
    const place = this.scanUrl.replace("00000000-0000-0000-0000-000000000000", this.id);
    this.words.append(" ", el("a", { href: place, text: "Open", "aria-label": `Open ${this.file.name}` }));
  }

  get waits() {
    return this.state === "chosen" || this.state === "failed";
  }

  get isOpen() {
    return Boolean(this.id && STATES[this.state]?.more);
  }
}

/** @param {HTMLFormElement} form */
export function improveUpload(form) {
  const drop = form.querySelector("[data-drop]");
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");
  const status = form.querySelector("[data-upload-status]");
  const button = form.querySelector("button[type=submit]");
  /** @type {Upload[]} */
  let uploads = [];
  let sending = false;
  form.classList.add("has-drop");
  input.required = false;

  /** @param {FileList} files */
  const add = (files) => {
    const added = Array.from(files, (file) => new Upload(file, form.dataset.scanUrl));
    uploads = [...uploads, ...added];
    chosen.append(...added.map((upload) => upload.line));
    input.value = "";
    button.focus();
  };

  const sendAll = async () => {
    if (sending) return;
    sending = button.disabled = true;
    const site = form.elements.namedItem("site").value;
    const split = form.elements.namedItem("split").value;
    const work = async () => {
      for (let next = uploads.find((each) => each.waits && !each.tried); next; next = uploads.find((each) => each.waits && !each.tried)) {
        next.tried = true;
        await next.send(form.dataset.uploadUrl, site, split);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const each of uploads) each.tried = false;
    sending = button.disabled = false;
    tell();
    ask();
  };

  const tell = () => {
    const here = uploads.filter((each) => each.id).length;
    const failed = uploads.filter((each) => each.state === "failed").length;
    status.textContent = uploads.length ? `${here} of ${uploads.length} files are here${failed ? `, ${failed} could not be sent: press Upload to try them again` : ""}.` : "";
  };

  const ask = async () => {
    const open = uploads.filter((each) => each.isOpen).slice(0, 100);
    if (open.length === 0 || document.hidden) return;
    try {
      const query = open.map((each) => `id=${each.id}`).join("&");
      const response = await fetch(`${form.dataset.uploadUrl}?${query}`, { headers: { Accept: "application/json" } });
      if (response.ok) {
        for (const scan of (await response.json()).scans) open.find((each) => each.id === scan.scan_id)?.show(scan);
      }
    } catch {
      // asked again in a moment
    }
  };

  setInterval(ask, ASK_MS);
  addEventListener("beforeunload", (event) => sending && event.preventDefault());
  input.addEventListener("change", () => add(input.files));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!uploads.some((each) => each.waits)) {
      status.textContent = "Choose files first.";
      return;
    }
    sendAll();
  });
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("is-over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    if (event.dataTransfer.files.length) add(event.dataTransfer.files);
  });
}
