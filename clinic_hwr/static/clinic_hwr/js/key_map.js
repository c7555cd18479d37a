/** @file From key presses to named actions, by the map the server sends (keys.json). */

/** @typedef {{action: string, keys: string[], mode: "command" | "edit" | "box" | "always", label: string, help: string, own: boolean}} KeyEntry */

/** Digits are told by place (`Digit1`) too: on a French keyboard the unshifted key says `&`. */
const DIGIT_CODE = /^(?:Digit|Numpad)([0-9])$/;

/** @param {KeyboardEvent} event @param {string} key @returns {string} the name with what is held down */
function withModifiers(event, key) {
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  // Shift is part of what a character is; only for named keys does it make another key.
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return `${ctrl}${alt}${shift}${key}`;
}

/** @param {KeyboardEvent} event @returns {string} the name of a press as keys.json has it */
export function pressName(event) {
  return withModifiers(event, event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

/** @param {KeyboardEvent} event @returns {string[]} names this press may go by */
function pressNames(event) {
  const names = [pressName(event)];
  const digit = DIGIT_CODE.exec(event.code);
  if (digit && !event.shiftKey) names.push(withModifiers(event, digit[1]));
  return names;
}

export class KeyMap {
  /** @param {KeyEntry[]} entries @param {() => boolean} singleKeysOn whether a letter alone may command */
  constructor(entries, singleKeysOn) {
    this.singleKeysOn = singleKeysOn;
    this.use(entries);
  }

  /** @param {KeyEntry[]} entries */
  use(entries) {
    this.entries = entries;
    /** @type {Map<string, string>} */
    this.actions = new Map();
    for (const entry of entries) {
      for (const key of entry.keys) this.actions.set(`${entry.mode} ${key}`, entry.action);
    }
  }

  /** @param {string} action @returns {string} its first key */
  keyOf(action) {
    return this.entries.find((entry) => entry.action === action).keys[0];
  }

  /**
   * @param {KeyboardEvent} event
   * @param {"command" | "edit" | "box" | null} mode null when neither the card nor its input has the focus
   * @returns {string | null} the action, or null
   */
  action(event, mode) {
    if (event.isComposing) return null;
    for (const name of pressNames(event)) {
      if (name.length === 1 && !this.singleKeysOn()) continue;
      const found = this.actions.get(`always ${name}`) ?? (mode && this.actions.get(`${mode} ${name}`));
      if (found) return found;
    }
    return null;
  }
}
