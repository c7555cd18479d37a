/** @file Drawing the regions of a form over its clean page, by mouse or wholly by keyboard. */

import { el, find, svg } from "./dom.js";
import { LEAST, RegionPointer, clamp, round } from "./form_pointer.js";
import { RuleList } from "./form_rules.js";
import { post } from "./server.js";
import { bindSingleKeys, singleKeysOn } from "./single_keys.js";

/**
 * @typedef {{rule: string, [option: string]: any}} Rule
 * @typedef {{field: string, kind: string, box: number[], group: number, label: string,
 *   cells: number, value: string, validators: Rule[]}} Region
 */

const STEP = 0.002;
const CORNERS = [["nw", 0, 0], ["ne", 1, 0], ["se", 1, 1], ["sw", 0, 1]];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KIND_OF = { drug: "drug", date: "date", digits: "digits", paragraph: "free_text", checkbox: "checkbox", signature: "signature" };


class FormEditor {
  /** @param {any} data what the server put into the page */
  constructor(data) {
    this.data = data;
    this.page = 0;
    /** @type {Region | null} */
    this.active = null;
    this.dirty = false;
    this.sheet = find("sheet");
    this.fieldInfo = new Map(data.fields.map((field) => [field.name, field]));
    this.ruleList = new RuleList(data.checkDigits, { changed: () => this.changed(), touched: () => this.touched() });
    this.pointer = new RegionPointer(this);
    this.fillChoices();
    this.bind();
    this.open(0);
  }

  /** @returns {Region[]} of the page in sight */
  get regions() { return this.data.pages[this.page].regions; }

  fillChoices() {
    find("input=field").append(...this.data.fields.map(({ name, title }) => el("option", { value: name, text: title })));
    find("input=kind").append(...this.data.kinds.map((kind) => el("option", { value: kind.name, text: kind.words })));
    if (this.data.pages.length > 1) {
      find("pages").append(...this.data.pages.map((_, index) =>
        el("button", { class: "button button-small", type: "button", text: `Page ${index + 1}`, on: { click: () => this.open(index) } })));
    }
  }

  bind() {
    find("add").addEventListener("click", () => this.add());
    find("save").addEventListener("click", () => this.save());
    find("remove").addEventListener("click", () => this.remove());
    for (const input of document.querySelectorAll("[data-input]")) {
      input.addEventListener("input", () => this.read(input));
    }
    for (const input of document.querySelectorAll("[data-place]")) {
      input.addEventListener("change", () => this.readPlace());
    }
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        event.preventDefault();
        this.save();
        return;
      }
      const typing = event.target.closest?.("input, select, textarea");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !singleKeysOn()) return;
      if (event.key.toLowerCase() === "n") {
        event.preventDefault();
        this.add();
      }
    });
    document.querySelector("[data-activate]")?.addEventListener("submit", (event) => {
      if (!this.dirty) return;
      event.preventDefault();
      this.complain("Save what you drew before you activate this version.");
    });
    addEventListener("beforeunload", (event) => { if (this.dirty) event.preventDefault(); });
  }

  /** @param {number} index page to show */
  open(index) {
    this.page = index;
    const { url, width, height } = this.data.pages[index];
    this.sheet.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture = svg("image", { href: url, x: 0, y: 0, width, height });
    for (const [place, button] of [...find("pages").children].entries()) {
      button.setAttribute("aria-pressed", String(place === index));
    }
    this.active = null;
    this.draw();
  }

  /** Everything anew from the data: a form has tens of regions, not thousands. */
  draw() {
    const focused = document.activeElement?.closest?.(".region") !== null && document.activeElement?.closest?.(".region") !== undefined;
    this.sheet.replaceChildren(this.picture, ...this.regions.map((region, index) => this.drawn(region, index)));
    this.list();
    this.panel();
    if (focused) this.sheet.querySelector(".region.is-active")?.focus({ preventScroll: true });
  }

  /** @param {Region} region @returns {string} */
  title(region) {
    const number = region.group ? ` ${region.group}` : "";
    const value = region.value ? `: ${region.value}` : "";
    return (region.label || this.fieldInfo.get(region.field)?.title) + number + value;
  }

  /** @param {Region} region @returns {number[]} x, y, width and height in pixels of the picture */
  px(region) {
    const { width, height } = this.data.pages[this.page];
    const [x, y, w, h] = region.box;
    return [x * width, y * height, w * width, h * height];
  }

  /** @param {Region} region @param {number} index */
  drawn(region, index) {
    const [x, y, width, height] = this.px(region);
    const unit = this.data.pages[this.page].width / 100;
    const isActive = region === this.active;
    const group = svg("g", {
      class: isActive ? "region is-active" : "region",
      tabindex: 0,
      role: "button",
      "aria-label": `Region ${index + 1}, ${this.title(region)}`,
      "aria-pressed": isActive,
    });
    group.append(svg("rect", { class: "region-box", x, y, width, height }));
    const tag = svg("text", { class: "region-tag", x: x + unit * 0.3, y: y + unit * 1.25, "font-size": unit * 1.1, "aria-hidden": true });
    tag.textContent = this.title(region);
    group.append(tag);
    if (isActive) {
      for (const [name, right, low] of CORNERS) {
        const handle = svg("rect", {
          class: `region-handle handle-${name === "nw" || name === "se" ? "nwse" : "nesw"}`,
          x: x + right * width - unit * 0.5, y: y + low * height - unit * 0.5, width: unit, height: unit,
        });
        handle.dataset.corner = name;
        group.append(handle);
      }
    }
    group.addEventListener("focus", () => { if (this.active !== region) this.select(region); });
    group.addEventListener("keydown", (event) => this.key(event, region));
    group.dataset.index = String(index);
    return group;
  }

  list() {
    find("count").textContent = this.data.pages.length > 1 ? `on page ${this.page + 1}` : "";
    const items = this.regions.map((region) =>
      el("li", {}, el("button", {
        type: "button", "aria-current": region === this.active ? "true" : null,
        on: { click: () => { this.select(region); document.getElementById("r-field").focus(); } },
      }, el("span", { text: this.title(region) }), el("span", { class: "what", text: this.data.kinds.find((kind) => kind.name === region.kind)?.words }))));
    find("list").replaceChildren(...(items.length ? items : [el("li", { class: "none", text: "None yet: drag on the page, or add one." })]));
  }

  /** @param {Region} region */
  select(region) {
    this.active = region;
    this.draw();
    const group = this.sheet.querySelector(".region.is-active");
    if (document.activeElement === document.body) group?.focus({ preventScroll: true });
  }

  panel() {
    const region = this.active;
    find("panel").hidden = region === null;
    if (region === null) return;
    document.getElementById("region-title").textContent = this.title(region);
    for (const input of document.querySelectorAll("[data-input]")) {
      const value = String(region[input.dataset.input]);
      if (input.value !== value && document.activeElement !== input) input.value = value;
    }
    find("row=group").hidden = !(this.fieldInfo.get(region.field)?.group || region.field === "unnamed");
    find("row=cells").hidden = region.kind !== "comb";
    find("row=value").hidden = region.kind !== "checkbox";
    for (const input of document.querySelectorAll("[data-place]")) {
      input.value = (100 * region.box[Number(input.dataset.place)]).toFixed(1);
    }
    this.ruleList.draw(region);
  }

  /** @param {number[]} [box] shares of the page; in the middle when none was drawn */
  add(box) {
    const region = {
      field: this.nextField(), kind: "text", box: box ?? [0.35, clamp(0.1 + 0.07 * this.regions.length, 0.1, 0.88), 0.3, 0.04],
      group: 0, label: "", cells: 0, value: "", validators: [],
    };
    this.setKind(region);
    this.regions.push(region);
    this.active = region;
    this.changed();
    document.getElementById("r-field").focus();
  }

  /** @returns {string} a name that is not taken on this page */
  nextField() {
    const taken = new Set(this.regions.map((region) => region.field));
    return this.data.fields.find(({ name }) => !taken.has(name))?.name ?? "unnamed";
  }

  /** @param {Region} region the kind follows the field, until it is chosen */
  setKind(region) {
    const kind = this.fieldInfo.get(region.field)?.kind;
    region.kind = KIND_OF[kind] ?? "text";
    region.cells = 0;
    region.value = "";
    if (!this.fieldInfo.get(region.field)?.group && region.field !== "unnamed") region.group = 0;
    else if (["drug", "sig", "quantity", "strength"].includes(region.field) && !region.group) region.group = 1;
  }

  remove() {
    const index = this.regions.indexOf(this.active);
    if (index < 0) return;
    this.regions.splice(index, 1);
    this.active = null;
    this.changed();
    find("add").focus();
  }

  /** @param {HTMLInputElement} input that the person changed */
  read(input) {
    const name = input.dataset.input;
    const isNumber = name === "group" || name === "cells";
    this.active[name] = isNumber ? Number(input.value) || 0 : input.value;
    if (name === "field") this.setKind(this.active);
    if (name === "kind") {
      this.active.cells = input.value === "comb" ? this.active.cells || 8 : 0;
      if (input.value === "medications") this.active.group = 0;
      if (input.value !== "checkbox") this.active.value = "";
    }
    this.changed();
  }

  readPlace() {
    const box = [0, 1, 2, 3].map((place) => Number(document.querySelector(`[data-place="${place}"]`).value) / 100);
    this.place(this.active, box);
    this.changed();
  }

  /** @param {Region} region @param {number[]} box kept on the page */
  place(region, [x, y, width, height]) {
    const w = clamp(width, LEAST, 1);
    const h = clamp(height, LEAST, 1);
    region.box = [clamp(x, 0, 1 - w), clamp(y, 0, 1 - h), w, h].map(round);
  }

  /** @param {KeyboardEvent} event @param {Region} region that has the focus */
  key(event, region) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      event.preventDefault();
      const step = STEP * (event.altKey ? 0.5 : event.ctrlKey ? 10 : 1);
      const [x, y, w, h] = region.box;
      if (event.shiftKey) this.place(region, [x, y, w + arrow[0] * step, h + arrow[1] * step]);
      else this.place(region, [x + arrow[0] * step, y + arrow[1] * step, w, h]);
      this.changed();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.active = region;
      this.remove();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      document.getElementById("r-field").focus();
    }
  }

  deselect() {
    this.active = null;
    this.draw();
  }

  changed() {
    this.touched();
    this.draw();
  }

  touched() {
    this.dirty = true;
    find("saved").textContent = "Not saved yet";
  }

  /** @param {string} problem "" takes the last one away */
  complain(problem) {
    const place = find("problem");
    place.textContent = problem;
    place.hidden = problem === "";
    if (problem) place.scrollIntoView({ block: "nearest" });
  }

  async save() {
    const button = find("save");
    if (button.disabled) return;
    button.disabled = true;
    this.complain("");
    try {
      const { status, body } = await post(this.data.saveUrl, { pages: this.data.pages.map((page) => page.regions), edits: this.data.edits });
      if (status !== 200) {
        this.complain(body?.detail ?? "It could not be saved. Sign in again in another tab, then save once more.");
        return;
      }
      this.dirty = false;
      if (body.is_new) {
        location.assign(body.url);
        return;
      }
      this.data.edits = body.edits;
      find("saved").textContent = "Saved";
    } catch {
      this.complain("No connection: nothing is saved yet. Save again when it is back.");
    } finally {
      button.disabled = false;
    }
  }
}

bindSingleKeys();
new FormEditor(JSON.parse(document.getElementById("editor").textContent));
