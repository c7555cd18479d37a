/** @file From key presses to named actions, by the map the server sends (keys.json). */

/** @typedef {{action: string, keys: string[], mode: "command" | "edit" | "always", label: string, help: string}} KeyEntry */

/** Digits are told by place (`Digit1`) too: on a French keyboard the unshifted key says `&`. */
const DIGIT_CODE = /^(?:Digit|Numpad)([0-9])$/;

/** @param {KeyboardEvent} event @returns {string[]} names this press may go by in keys.json */
function pressNames(event) {
  const names = [event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const digit = DIGIT_CODE.exec(event.code);
  if (digit && !event.shiftKey) names.push(digit[1]);
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  // Shift is part of what a character is; only for named keys does it make another key.
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return names.map((name) => `${ctrl}${shift}${name}`);
}

export class KeyMap {
  /** @param {KeyEntry[]} entries @param {() => boolean} singleKeysOn whether a letter alone may command */
  constructor(entries, singleKeysOn) {
    this.entries = entries;
    this.singleKeysOn = singleKeysOn;
    /** @type {Map<string, string>} */
    this.actions = new Map();
    for (const entry of entries) {
      for (const key of entry.keys) this.actions.set(`${entry.mode} ${key}`, entry.action);
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @param {"command" | "edit" | null} mode null when neither the card nor its input has the focus
   * @returns {string | null} the action, or null
   */
  action(event, mode) {
    if (event.altKey || event.isComposing) return null;
    for (const name of pressNames(event)) {
      if (name.length === 1 && !this.singleKeysOn()) continue;
      const found = this.actions.get(`always ${name}`) ?? (mode && this.actions.get(`${mode} ${name}`));
      if (found) return found;
    }
    return null;
  }
}
