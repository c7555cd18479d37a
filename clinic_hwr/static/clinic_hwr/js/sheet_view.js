/** @file The scanned page: an SVG whose viewBox follows the field at hand. */

import { svg } from "./dom.js";

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
    const drawn = this.root.querySelectorAll("rect").length;
    if (page && (page !== this.page || drawn !== here.length)) this.open(page, here);
    this.field = active;
    for (const rect of this.root.querySelectorAll("rect")) {
      const field = fields.find((item) => item.id === rect.dataset.field);
      rect.setAttribute("class", this.rectClass(field, active));
    }
    this.root.querySelector(".is-active")?.parentNode.append(this.root.querySelector(".is-active"));
    this.frame();
  }

  /** @param {any} field @param {any} active @returns {string} */
  rectClass(field, active) {
    if (field.id === active.id) return "field-box is-active";
    return field.needs_human ? "field-box is-waiting" : "field-box";
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
    }
    this.root.replaceChildren(image, boxes);
  }

  toggleFollow() {
    this.follow = !this.follow;
    this.frame();
  }

  /** Set the viewBox: the surroundings of the field, or the whole page. No animation: 50 ms budget. */
  frame() {
    if (!this.page || !this.field) return;
    const { width: pageWidth, height: pageHeight } = this.page;
    const ratio = this.root.clientHeight / Math.max(1, this.root.clientWidth);
    if (!this.follow || ratio === 0 || this.field.whole_page) {
      this.root.setAttribute("viewBox", `0 0 ${pageWidth} ${pageHeight}`);
      return;
    }
    const [x, y, width, height] = this.field.box;
    const shownWidth = Math.min(pageWidth, Math.max(pageWidth * FOLLOW_WIDTH, width * 1.15, (height * 2) / ratio));
    const shownHeight = shownWidth * ratio;
    const left = clamp(x + width / 2 - shownWidth / 2, 0, pageWidth - shownWidth);
    const top = clamp(y + height / 2 - shownHeight / 2, 0, pageHeight - shownHeight);
    this.root.setAttribute("viewBox", `${left} ${top} ${shownWidth} ${shownHeight}`);
  }
}

/** @param {number} value @param {number} low @param {number} high @returns {number} centred when it cannot fit */
function clamp(value, low, high) {
  return high < low ? (low + high) / 2 : Math.min(Math.max(value, low), high);
}
