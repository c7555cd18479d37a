/** @file Talking JSON to our own server. */

/**
 * The token of the moment: signing in again in another tab makes a new one, and a page that kept
 * the old one could not save what it holds.
 * @returns {string}
 */
export function csrfToken() {
  const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return cookie ? cookie[1] : document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/**
 * @param {string} url
 * @param {any} [body]
 * @param {RequestInit} [options]
 * @returns {Promise<{status: number, body: any}>} rejects when the network fails
 */
export async function post(url, body = {}, options = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
    ...options,
  });
  const type = response.headers.get("Content-Type") ?? "";
  return { status: response.status, body: type.includes("json") ? await response.json() : null };
}
