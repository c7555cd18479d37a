/** @file Drawing the box of a field anew, on the page: drag with the mouse, or move and size it with the arrow keys. */

import { find, svg } from "./dom.js";

/** One press of an arrow key moves by this share of the page's width. */
const STEP = 0.006;
const LEAST_PX = 8;

export class Rebox {
  /**
   * @param {import("./sheet_view.js").SheetView} sheet
   * @param {import("./saving.js").Saving} saving
   * @param {{say: (text: string) => void, onDrawn: (field: any) => void}} handlers `say` what the person should know
   */
  constructor(sheet, saving, { say, onDrawn }) {
    this.sheet = sheet;
    this.saving = saving;
    this.say = say;
    this.onDrawn = onDrawn;
    /** @type {any} */
    this.field = null;
    /** @type {number[]} x, y, width, height in pixels of the page */
    this.box = [];
    this.tools = find("rebox");
    find("rebox-save").addEventListener("click", () => this.save());
    find("rebox-cancel").addEventListener("click", () => this.stop());
    sheet.root.addEventListener("pointerdown", (event) => this.press(event));
  }

  get active() {
    return this.field !== null;
  }

  /** @param {any} field */
  start(field) {
    this.field = field;
    this.box = [...field.box];
    this.rect = svg("rect", { class: "new-box", rx: 4 });
    this.sheet.root.append(this.rect);
    this.sheet.root.classList.add("is-reboxing");
    this.tools.hidden = false;
    this.draw();
    find("sheet-frame").focus({ preventScroll: true });
  }

  stop() {
    if (!this.active) return;
    this.field = null;
    this.rect.remove();
    this.sheet.root.classList.remove("is-reboxing");
    this.tools.hidden = true;
    find("card").focus({ preventScroll: true });
  }

  async save() {
    const { field } = this;
    if (!field) return;
    const { problem } = await this.saving.change(field.box_url, { box: this.box.map(Math.round) });
    this.stop();
    if (!problem) this.onDrawn(field);
    this.say(problem || "The box is drawn anew. It is being read; you can type at once.");
  }

  /** @param {number} right -1, 0 or 1 @param {number} down */
  move(right, down) {
    const step = this.sheet.page.width * STEP;
    this.box[0] += right * step;
    this.box[1] += down * step;
    this.draw();
  }

  /** @param {number} right @param {number} down the right and the lower edge move */
  size(right, down) {
    const step = this.sheet.page.width * STEP;
    this.box[2] += right * step;
    this.box[3] += down * step;
    this.draw();
  }

  /** Keep the box on the page and show it. */
  draw() {
    const { width: pageWidth, height: pageHeight } = this.sheet.page;
    let [x, y, width, height] = this.box;
    width = Math.min(Math.max(width, LEAST_PX), pageWidth);
    height = Math.min(Math.max(height, LEAST_PX), pageHeight);
    x = Math.min(Math.max(x, 0), pageWidth - width);
    y = Math.min(Math.max(y, 0), pageHeight - height);
    this.box = [x, y, width, height].map(Math.floor);
    const names = ["x", "y", "width", "height"];
    names.forEach((name, index) => this.rect.setAttribute(name, String(this.box[index])));
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (!this.active) return;
    event.preventDefault();
    const from = this.sheet.point(event);
    const drag = (moved) => {
      const to = this.sheet.point(moved);
      this.box = [Math.min(from.x, to.x), Math.min(from.y, to.y), Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
      this.draw();
    };
    const root = this.sheet.root;
    root.setPointerCapture(event.pointerId);
    root.addEventListener("pointermove", drag);
    root.addEventListener("pointerup", () => root.removeEventListener("pointermove", drag), { once: true });
  }
}
