// Keys that a browser or a computer keeps for itself, keys that stay down, and the keyboard of a
// device without one.
import { connected, desktop, focus, whenClosed } from "./connection.js";
import { at, on, say, show } from "./page.js";
import { closePanel } from "./panels.js";

/** Keysyms (X11's keysymdef.h) with the key's place on the keyboard, where programs ask for it. */
const KEYS = {
  Alt_L: [0xffe9, "AltLeft"],
  BackSpace: [0xff08, "Backspace"],
  Control_L: [0xffe3, "ControlLeft"],
  Delete: [0xffff, "Delete"],
  Escape: [0xff1b, "Escape"],
  Return: [0xff0d, "Enter"],
  Super_L: [0xffeb, "MetaLeft"],
  Tab: [0xff09, "Tab"],
  t: [0x74, "KeyT"],
};

function send(name, down) {
  desktop.rfb?.sendKey(...KEYS[name], down);
}

for (const button of document.querySelectorAll("[data-keys]")) {
  const names = button.dataset.keys.split(" ");
  button.addEventListener("click", () => {
    for (const name of names) send(name, true);
    for (const name of names.toReversed()) send(name, false);
    closePanel();
  });
}

const holds = [...document.querySelectorAll("[data-hold]")];
const held = (button) => button.getAttribute("aria-pressed") === "true";

function hold(button, down) {
  button.setAttribute("aria-pressed", String(down));
  send(button.dataset.hold, down);
  show(at("keys-note"), say(down ? "down" : "up", { key: button.textContent }));
}
for (const button of holds) button.addEventListener("click", () => hold(button, !held(button)));
// A new connection begins with every key up.
whenClosed(() => { for (const button of holds) button.setAttribute("aria-pressed", "false"); });

// --- The keyboard of a device without one ------------------------------------------------

// A field nobody sees raises it. What comes of its keys is read off as the difference to what stood
// there before, because such keyboards correct whole words and send no key events for them. The
// field is never empty, so that there is always something to delete.
const FILL = "_".repeat(64);
const field = at("touch-field");
let before = FILL;

/** A character's keysym: Latin-1 is its own, all others are Unicode with a mark. */
function keysym(character) {
  const point = character.codePointAt(0);
  if (character === "\n") return KEYS.Return[0];
  return point < 0x100 ? point : 0x01000000 | point;
}

function typed() {
  const [old, now] = [[...before], [...field.value]];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same += 1;
  for (let count = old.length; count > same; count -= 1) press("BackSpace");
  for (const character of now.slice(same)) desktop.rfb?.sendKey(keysym(character), null);
  before = field.value;
  if (now.length > 4 * FILL.length || now.length < FILL.length / 2) refill();
}

function press(name) {
  send(name, true);
  send(name, false);
}

function refill() {
  field.value = before = FILL;
  field.setSelectionRange(FILL.length, FILL.length);
}

function raise(raised) {
  if (!raised) return focus();
  if (!connected()) return;
  closePanel(() => {});
  refill();
  field.focus({ preventScroll: true });
}

if (field) {
  field.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  field.addEventListener("compositionend", typed);
  field.addEventListener("keydown", (event) => {
    const name = { Escape: "Escape", Tab: "Tab", Delete: "Delete" }[event.key];
    if (!name) return;
    press(name);
    event.preventDefault();
  });
  field.addEventListener("focus", () => at("touch").setAttribute("aria-pressed", "true"));
  field.addEventListener("blur", () => at("touch").setAttribute("aria-pressed", "false"));
  // The press must not take the focus first, or the button could not tell whether it is raised.
  on("touch", "pointerdown", (event) => event.preventDefault());
  on("touch", "click", () => raise(document.activeElement !== field));
  on("touch-too", "click", () => raise(true));
}
