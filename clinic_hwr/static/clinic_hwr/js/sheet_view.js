/** @file The scanned page: an SVG whose viewBox follows the field at hand. */

import { svg } from "./dom.js";
import { struckWords } from "./field_card.js";

/** @typedef {{number: number, url: string, width: number, height: number}} SheetPage */

/** At most this share of the page is left out sideways: enough context to know where one is. */
const FOLLOW_WIDTH = 0.62;
const MARGIN_PX = 10;

export class SheetView {
  /**
   * @param {SVGSVGElement} root
   * @param {SheetPage[]} pages
   * @param {(fieldId: string) => void} onPick a field was clicked on the page
   */
  constructor(root, pages, onPick) {
    this.root = root;
    this.pages = new Map(pages.map((page) => [page.number, page]));
    this.onPick = onPick;
    this.follow = true;
    /** Kept where it is while the person goes through the fields. */
    this.held = false;
    this.zoomed = 1;
    /** Moved by hand, in shares of what is shown. */
    this.moved = { x: 0, y: 0 };
    /** @type {SheetPage | null} */
    this.page = null;
    /** @type {any} */
    this.field = null;
    new ResizeObserver(() => this.frame()).observe(root);
  }

  /**
   * @param {any[]} fields all fields of the scan
   * @param {any} active the field at hand
   */
  show(fields, active) {
    const page = this.pages.get(active.page);
    const here = fields.filter((field) => field.page === active.page);
    const drawn = this.root.querySelectorAll("rect[data-field]").length;
    const boxes = here.map((field) => field.box.join()).join(";");
    if (page && (page !== this.page || drawn !== here.length || boxes !== this.boxes)) this.open(page, here);
    this.boxes = boxes;
    if (this.field?.id !== active.id && !this.held) this.moved = { x: 0, y: 0 };
    this.field = active;
    for (const rect of this.root.querySelectorAll("rect[data-field]")) {
      const field = fields.find((item) => item.id === rect.dataset.field);
      rect.setAttribute("class", this.rectClass(field, active));
    }
    this.root.querySelector(".is-active")?.parentNode.append(this.root.querySelector(".is-active"));
    this.frame();
  }

  /** @param {any} field @param {any} active @returns {string} */
  rectClass(field, active) {
    const struck = field && struckWords(field) ? " is-struck" : "";
    if (field?.id === active.id) return `field-box is-active${struck}`;
    return `field-box${field?.needs_human ? " is-waiting" : ""}${struck}`;
  }

  /** @param {SheetPage} page @param {any[]} fields of this page */
  open(page, fields) {
    this.page = page;
    const image = svg("image", { href: page.url, x: 0, y: 0, width: page.width, height: page.height });
    const boxes = svg("g", {});
    // large ones first: a box as large as the page must not keep clicks from the others
    const area = ({ box: [, , width, height] }) => width * height;
    for (const field of [...fields].sort((a, b) => area(b) - area(a))) {
      const [x, y, width, height] = field.box;
      const rect = svg("rect", {
        x: x - MARGIN_PX,
        y: y - MARGIN_PX,
        width: width + 2 * MARGIN_PX,
        height: height + 2 * MARGIN_PX,
        rx: 6,
      });
      rect.dataset.field = field.id;
      rect.addEventListener("click", () => this.onPick(field.id));
      boxes.append(rect);
      // a doubt has its outline and the card: words would lie on the line above for many that are none
      if (struckWords(field) && field.struck_out !== "perhaps") boxes.append(struckSign(field, page));
    }
    this.root.replaceChildren(image, boxes);
  }

  toggleFollow() {
    this.follow = !this.follow;
    this.reset();
  }

  /** @param {number} by over 1: closer */
  scale(by) {
    this.zoomed = Math.min(Math.max(this.zoomed * by, 0.5), 8);
    this.frame();
  }

  /** @param {number} right @param {number} down in eighths of what is shown */
  pan(right, down) {
    this.moved = { x: this.moved.x + right / 8, y: this.moved.y + down / 8 };
    this.frame();
  }

  reset() {
    this.zoomed = 1;
    this.moved = { x: 0, y: 0 };
    this.frame();
  }

  toggleHold() {
    this.held = !this.held;
    if (!this.held) this.reset();
  }

  /** @param {PointerEvent} event @returns {DOMPoint} where that is on the page, in its pixels */
  point(event) {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(this.root.getScreenCTM().inverse());
  }

  /** Set the viewBox: the surroundings of the field, or the whole page. No animation: 50 ms budget. */
  frame() {
    if (!this.page || !this.field) return;
    if (!this.held || !this.base || this.basePage !== this.page) this.base = this.baseFrame();
    this.basePage = this.page;
    const { width: pageWidth, height: pageHeight } = this.page;
    const [left, top, baseWidth, baseHeight] = this.base;
    const width = baseWidth / this.zoomed;
    const height = baseHeight / this.zoomed;
    const x = clamp(left + (baseWidth - width) / 2 + this.moved.x * width, 0, pageWidth - width);
    const y = clamp(top + (baseHeight - height) / 2 + this.moved.y * height, 0, pageHeight - height);
    this.root.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  }

  /** @returns {number[]} left, top, width, height before anybody zoomed or moved */
  baseFrame() {
    const { width: pageWidth, height: pageHeight } = this.page;
    const ratio = this.root.clientHeight / Math.max(1, this.root.clientWidth);
    if (!this.follow || ratio === 0 || this.field.whole_page) return [0, 0, pageWidth, pageHeight];
    const [x, y, width, height] = this.field.box;
    const shownWidth = Math.min(pageWidth, Math.max(pageWidth * FOLLOW_WIDTH, width * 1.15, (height * 2) / ratio));
    const shownHeight = shownWidth * ratio;
    const left = clamp(x + width / 2 - shownWidth / 2, 0, pageWidth - shownWidth);
    const top = clamp(y + height / 2 - shownHeight / 2, 0, pageHeight - shownHeight);
    return [left, top, shownWidth, shownHeight];
  }
}

/** Words above the box, beside its outline: nothing may lie over the ink. @param {any} field @param {SheetPage} page */
function struckSign(field, page) {
  const [x, y, width] = field.box;
  const size = page.width * 0.014;
  // writing begins at the left: its right end is where there is most often room
  const text = svg("text", { class: "struck-sign", x: x + width + MARGIN_PX, y: Math.max(size, y - MARGIN_PX - size * 0.3), "font-size": size });
  text.textContent = `✕ ${struckWords(field).toLowerCase()}`;
  return text;
}

/** @param {number} value @param {number} low @param {number} high @returns {number} centred when it cannot fit */
function clamp(value, low, high) {
  return high < low ? (low + high) / 2 : Math.min(Math.max(value, low), high);
}
