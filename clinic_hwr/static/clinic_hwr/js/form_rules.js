/** @file The rules of one region of a form: what they are, and the list in which they are set. */

import { el, find } from "./dom.js";

/** What a rule is called, and its options with their words. */
const RULES = {
  required: { words: "Must be filled in", options: [] },
  pattern: { words: "Looks like a pattern", options: [["pattern", "Pattern (regular expression)"], ["hint", "What is expected, in words"]] },
  date_range: { words: "Date in a range", options: [["earliest", "Earliest (2026-01-31 or today-30)"], ["latest", "Latest (2026-12-31 or today)"]] },
  number_range: { words: "Number in a range", options: [["least", "Least"], ["most", "Most"]] },
  check_digit: { words: "Check digit", options: [["scheme", "Scheme"]] },
  one_of: { words: "One of a list", options: [["values", "Values, with commas between"]] },
};

export class RuleList {
  /** @param {string[]} checkDigits known schemes @param {{changed: () => void, touched: () => void}} handlers `changed` draws anew */
  constructor(checkDigits, handlers) {
    this.checkDigits = checkDigits;
    this.handlers = handlers;
    /** @type {any} the region at hand */
    this.region = null;
    find("rule").append(...Object.entries(RULES).map(([name, rule]) => el("option", { value: name, text: rule.words })));
    find("add-rule").addEventListener("click", () => this.add());
  }

  /** @param {any} region */
  draw(region) {
    this.region = region;
    find("rules").replaceChildren(...region.validators.map((rule, index) => this.item(rule, index)));
  }

  /** @param {any} rule @param {number} index @returns {HTMLElement} */
  item(rule, index) {
    const known = RULES[rule.rule];
    const remove = el("button", {
      class: "button button-quiet button-small", type: "button", text: "Remove", "aria-label": `Remove the rule ${known.words}`,
      on: { click: () => { this.region.validators.splice(index, 1); this.handlers.changed(); find("add-rule").focus(); } },
    });
    const options = known.options.map(([name, label]) => this.option(rule, index, name, label));
    return el("li", {}, el("span", { text: known.words }), remove, options.length ? el("div", { class: "options" }, ...options) : null);
  }

  /** @param {any} rule @param {number} index @param {string} name @param {string} label */
  option(rule, index, name, label) {
    const id = `rule-${index}-${name}`;
    const set = (event) => { rule[name] = event.target.value; this.handlers.touched(); };
    const control = name === "scheme"
      ? el("select", { id, on: { change: set } }, ...this.checkDigits.map((one) => el("option", { value: one, text: one.toUpperCase(), selected: rule[name] === one })))
      : el("input", { id, type: "text", autocomplete: "off", value: Array.isArray(rule[name]) ? rule[name].join(", ") : rule[name] ?? "", on: { input: set } });
    const whole = RULES[rule.rule].options.length === 1 || name === "pattern" || name === "hint";
    return el("div", { class: whole ? "whole" : null }, el("label", { for: id, text: label }), control);
  }

  add() {
    const rule = { rule: find("rule").value };
    if (rule.rule === "check_digit") rule.scheme = this.checkDigits[0];
    this.region.validators.push(rule);
    this.handlers.changed();
    const first = document.getElementById(`rule-${this.region.validators.length - 1}-${RULES[rule.rule].options[0]?.[0]}`);
    (first ?? find("add-rule")).focus();
  }
}
