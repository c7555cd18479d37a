/** @file Drawing, moving and resizing the regions of a form with the mouse or a finger. */

import { svg } from "./dom.js";

/** No side of a region is shorter than this share of the page. */
export const LEAST = 0.005;

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
/** @param {number} value a share, to a hundredth of a thousandth */
export const round = (value) => Math.round(value * 1e5) / 1e5;

export class RegionPointer {
  /** @param {any} editor the form editor, whose sheet and regions it works on */
  constructor(editor) {
    this.editor = editor;
    editor.sheet.addEventListener("pointerdown", (event) => this.press(event));
  }

  /** @param {PointerEvent} event @returns {number[]} shares of the page */
  at(event) {
    const matrix = this.editor.sheet.getScreenCTM().inverse();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    const { width, height } = this.editor.data.pages[this.editor.page];
    return [clamp(point.x / width, 0, 1), clamp(point.y / height, 0, 1)];
  }

  /** @param {PointerEvent} event begins drawing, moving or resizing */
  press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const start = this.at(event);
    const group = event.target.closest(".region");
    const corner = event.target.dataset?.corner;
    let move;
    if (group) {
      const region = this.editor.regions[Number(group.dataset.index)];
      this.editor.active = region;
      const [x, y, w, h] = region.box;
      move = ([px, py]) => {
        const [dx, dy] = [px - start[0], py - start[1]];
        if (!corner) return this.editor.place(region, [x + dx, y + dy, w, h]);
        const left = corner.endsWith("w") ? Math.min(px, x + w - LEAST) : x;
        const top = corner.startsWith("n") ? Math.min(py, y + h - LEAST) : y;
        const right = corner.endsWith("e") ? px : x + w;
        const low = corner.startsWith("s") ? py : y + h;
        return this.editor.place(region, [left, top, right - left, low - top]);
      };
      this.editor.draw();
      this.editor.sheet.querySelector(".region.is-active")?.focus({ preventScroll: true });
    } else {
      this.ghost = svg("rect", { class: "region-box is-empty", x: 0, y: 0, width: 0, height: 0 });
      this.editor.sheet.append(this.ghost);
    }
    const spanned = ([px, py]) => [Math.min(px, start[0]), Math.min(py, start[1]), Math.abs(px - start[0]), Math.abs(py - start[1])];
    const onMove = (moved) => {
      if (move) {
        move(this.at(moved));
        this.editor.changed();
        return;
      }
      const { width, height } = this.editor.data.pages[this.editor.page];
      const [x, y, w, h] = spanned(this.at(moved));
      for (const [name, value] of Object.entries({ x: x * width, y: y * height, width: w * width, height: h * height })) this.ghost.setAttribute(name, String(value));
    };
    const onUp = (ended) => {
      removeEventListener("pointermove", onMove);
      removeEventListener("pointerup", onUp);
      removeEventListener("pointercancel", onUp);
      if (move) return;
      this.ghost.remove();
      const box = spanned(this.at(ended));
      if (ended.type === "pointerup" && box[2] >= LEAST && box[3] >= LEAST) this.editor.add(box.map(round));
      else this.editor.deselect();
    };
    addEventListener("pointermove", onMove);
    addEventListener("pointerup", onUp);
    addEventListener("pointercancel", onUp);
  }
}
