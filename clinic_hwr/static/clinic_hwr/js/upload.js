/** @file Sending files to the server one after the other, with progress that is true. */

import { csrfToken } from "./server.js";

/**
 * @typedef {object} Progress what is known of one file at this moment
 * @property {"waiting" | "sending" | "checking" | "done" | "failed"} phase "checking": the server has
 *   all of it and looks at it; only "done" means that it is kept
 * @property {number} sent bytes that left this machine
 * @property {number} total bytes of the file with its envelope; 0 while unknown
 * @property {{scan_id: string, status: string, problem_code: string, problem: string,
 *   duplicate_of: string | null, url: string} | null} scan what the server says of it
 * @property {string} problem one sentence why it failed, or ""
 */

const UNREACHABLE = "The server cannot be reached. What arrived is kept; send this one again.";

/**
 * Sends files in their order, one request each: one that fails stops none of the others.
 * @param {string} url the address of the upload form
 * @param {FileList | File[]} files
 * @param {Record<string, string>} fields further fields: site, split
 * @param {(index: number, progress: Progress) => void} onProgress called at every step of every file
 * @param {AbortSignal} [signal] stops at the file being sent; files already kept stay kept
 * @returns {Promise<Progress[]>} the last word on every file; never rejects
 */
export async function uploadFiles(url, files, fields, onProgress, signal) {
  const results = [];
  for (const [index, file] of Array.from(files).entries()) {
    const report = (progress) => onProgress(index, progress);
    const result = signal?.aborted
      ? failed("Not sent: stopped.")
      : await uploadOne(url, file, fields, report, signal);
    onProgress(index, result);
    results.push(result);
  }
  return results;
}

/** @returns {Promise<Progress>} */
function uploadOne(url, file, fields, report, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much of a body has left
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", file);

    let sent = 0;
    let total = 0;
    request.upload.addEventListener("progress", (event) => {
      sent = event.loaded;
      total = event.lengthComputable ? event.total : 0;
      report({ phase: "sending", sent, total, scan: null, problem: "" });
    });
    request.upload.addEventListener("load", () => {
      report({ phase: "checking", sent: total || sent, total, scan: null, problem: "" });
    });
    request.addEventListener("load", () => resolve(answered(request, total)));
    request.addEventListener("error", () => resolve(failed(UNREACHABLE, sent, total)));
    request.addEventListener("abort", () => resolve(failed("Stopped.", sent, total)));
    signal?.addEventListener("abort", () => request.abort(), { once: true });

    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    report({ phase: "sending", sent: 0, total: 0, scan: null, problem: "" });
    request.send(body);
  });
}

/** @returns {Progress} what the server's answer means */
function answered(request, total) {
  let body = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // a proxy's page, or the sign-in page after a time-out: no answer of ours
  }
  if (request.status === 202 && body?.scans?.length === 1) {
    return { phase: "done", sent: total, total, scan: body.scans[0], problem: body.scans[0].problem };
  }
  const problem = body?.detail ?? `The server did not take this file (${request.status}). Reload the page and try again.`;
  return failed(problem, total, total);
}

/** @returns {Progress} */
function failed(problem, sent = 0, total = 0) {
  return { phase: "failed", sent, total, scan: null, problem };
}
