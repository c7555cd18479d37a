/** @file Reading a value aloud with the browser's own voice; nothing leaves the machine for it. */

/** @param {string} text @returns {boolean} whether the browser can */
export function readAloud(text) {
  const { speechSynthesis: voice, SpeechSynthesisUtterance: Utterance } = window;
  if (!voice || !Utterance) return false;
  voice.cancel(); // the last one is not waited for
  const spoken = new Utterance(text);
  spoken.lang = document.documentElement.lang || "en";
  spoken.rate = 0.9;
  voice.speak(spoken);
  return true;
}
