// The toolbar and its panels, by pointer and by keyboard.
import { focus } from "./connection.js";
import { at, on, store, stored } from "./page.js";

const tools = () => [...at("tools").querySelectorAll("a, button")].filter((tool) => tool.offsetParent !== null);
const buttons = [...document.querySelectorAll("[data-panel]")];
const opened = new Map();

/** Calls back when this tool's panel has been opened. */
export const whenShown = (id, call) => opened.set(id, call);

function set(button, shown) {
  at(button.dataset.panel).hidden = !shown;
  button.setAttribute("aria-expanded", String(shown));
}

/** Closes the open panel, if there is one; the keyboard goes to `next`. */
export function closePanel(next = focus) {
  for (const button of buttons.filter((button) => !at(button.dataset.panel).hidden)) {
    set(button, false);
    next(button);
  }
}

function openPanel(button) {
  closePanel(() => {});
  set(button, true);
  const panel = at(button.dataset.panel);
  const first = panel.querySelector("input:checked, button, input, textarea");
  first?.focus({ preventScroll: true });
  opened.get(button.id)?.();
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    if (at(button.dataset.panel).hidden) openPanel(button);
    else closePanel();
  });
  const panel = at(button.dataset.panel);
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePanel(() => button.focus());
  });
  panel.querySelector(".sheet-close").addEventListener("click", () => closePanel(() => button.focus()));
}

// One stop for Tab, arrows inside, as assistive technology expects of a toolbar.
function rove(to) {
  for (const tool of at("tools").querySelectorAll("a, button")) tool.tabIndex = tool === to ? 0 : -1;
}
rove(at("tools").querySelector("a"));
at("tools").addEventListener("focusin", (event) => rove(event.target));
at("tools").addEventListener("keydown", (event) => {
  const all = tools();
  const here = all.indexOf(document.activeElement);
  const next = {
    ArrowRight: (here + 1) % all.length, ArrowLeft: (here + all.length - 1) % all.length, Home: 0, End: all.length - 1,
  }[event.key];
  if (next === undefined) return;
  all[next].focus();
  event.preventDefault();
});
on("bar", "keydown", (event) => { if (event.key === "Escape") closePanel((button) => button.focus()); });

function fold(folded) {
  at("bar").classList.toggle("folded", folded);
  at("fold").setAttribute("aria-expanded", String(!folded));
  if (folded) closePanel();
}
on("fold", "click", () => {
  const folded = !at("bar").classList.contains("folded");
  store("folded", folded);
  fold(folded);
});
fold(stored("folded", false));

/** From the desktop to the tools, and back. */
function change() {
  if (!at("viewer").contains(document.activeElement) || at("screen").contains(document.activeElement)
      || document.activeElement === document.body) {
    fold(false);
    const tool = at("tools").querySelector("[tabindex='0']");
    (tool?.offsetParent ? tool : tools()[0]).focus();
    return;
  }
  closePanel(() => {});
  focus();
}

// Ctrl+Alt+Shift pressed and released, with nothing in between, leaves the desktop's keyboard. It
// waits for the last release, so that the desktop has seen all of them and keeps no key pressed.
const CHORD = ["Control", "Alt", "Shift"];
let down = new Set();
let whole = false;
window.addEventListener("keydown", (event) => {
  // Shift makes another key of Alt on some keyboards.
  const key = event.key === "Meta" && event.code.startsWith("Alt") ? "Alt" : event.key;
  if (!CHORD.includes(key)) { whole = false; down = new Set(["another"]); return; }
  down.add(key);
  if (CHORD.every((part) => down.has(part)) && down.size === CHORD.length) whole = true;
}, true);
window.addEventListener("keyup", (event) => {
  if (event.ctrlKey || event.altKey || event.shiftKey) return;
  down = new Set();
  if (whole) setTimeout(change);
  whole = false;
}, true);
window.addEventListener("blur", () => { down = new Set(); whole = false; });
