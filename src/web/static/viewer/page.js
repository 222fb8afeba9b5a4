// What all parts of the viewer share: its elements, its words, and what it remembers.
export const root = document.documentElement;
export const at = (id) => document.getElementById(id);
export const viewer = at("viewer");
/** `owner`, `helper` or `observer`. The gateway enforces it; here it only decides what is shown. */
export const role = viewer.dataset.role;

const words = JSON.parse(viewer.dataset.words);

/** A text in the reader's language, with its arguments in place. */
export function say(name, args = {}) {
  return words[name].replace(/\{(\w+)\}/g, (place, key) => args[key] ?? place);
}

/** A length of time as people say it; `unitDisplay` is `long` ("5 minutes") or `short` ("5 min"). */
export function time(seconds, unitDisplay = "long") {
  const [number, unit] = seconds < 60
    ? [Math.max(0, Math.round(seconds)), "second"]
    : seconds <= 3540 ? [Math.ceil(seconds / 60), "minute"]
      : seconds < 172800 ? [Math.round(seconds / 3600), "hour"] : [Math.round(seconds / 86400), "day"];
  return new Intl.NumberFormat(root.lang, { style: "unit", unit, unitDisplay }).format(number);
}

/** Changes a text only where it differs, so that nothing is read out twice. */
export function show(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Listens on an element that only some readers have. */
export function on(id, event, listener) {
  at(id)?.addEventListener(event, listener);
}

export function stored(key, standard) {
  try { return JSON.parse(localStorage.getItem(`berth.viewer.${key}`)) ?? standard; } catch { return standard; }
}

export function store(key, value) {
  try { localStorage.setItem(`berth.viewer.${key}`, JSON.stringify(value)); } catch { /* Private windows may refuse. */ }
}
