// Text both ways: by itself where the browser permits it, else through a field.
import { desktop, focus, whenOpened, whenPrepared } from "./connection.js";
import { at, on, say, show } from "./page.js";
import { whenShown } from "./panels.js";

/** What both sides had last, so that nothing goes in circles. */
let shared = null;
/** Text of the desktop that the browser did not take yet: it wants a key or a click first. */
let waiting = null;

function note(text) { show(at("clipnote"), text); }

/** Text was copied on the desktop. */
async function received(text) {
  shared = text;
  if (at("cliptext")) at("cliptext").value = text;
  try {
    await navigator.clipboard.writeText(text);
    waiting = null;
    note(say("copied-both"));
  } catch {
    waiting = text;
    note(say("copied-desktop"));
  }
}

function send(text) {
  shared = text;
  waiting = null;
  desktop.rfb?.clipboardPasteFrom(text);
}

/** Brings over what was copied on this computer, if the person has allowed that before. */
async function bring() {
  if (!at("cliptext") || !desktop.rfb || !document.hasFocus()) return;
  try {
    // Asking is for the panel, where the person sees why.
    const { state } = await navigator.permissions.query({ name: "clipboard-read" });
    if (state !== "granted" || waiting !== null) return;
    const text = await navigator.clipboard.readText();
    if (!text || text === shared) return;
    at("cliptext").value = text;
    send(text);
  } catch { /* This browser does not tell, or does not permit: there is the panel. */ }
}

function offer() {
  if (waiting === null) return;
  const text = waiting;
  waiting = null;
  navigator.clipboard.writeText(text).catch(() => {});
}

whenPrepared((rfb) => rfb.addEventListener("clipboard", (event) => received(event.detail.text)));
// The desktop tells what it can do with text a moment after it is there.
whenOpened(() => setTimeout(bring, 1000));
window.addEventListener("focus", bring);
for (const event of ["pointerup", "keyup"]) window.addEventListener(event, offer, true);
document.addEventListener("paste", (event) => {
  if (event.target.matches("input, textarea") || !at("cliptext")) return;
  const text = event.clipboardData?.getData("text/plain");
  if (!text) return;
  at("cliptext").value = text;
  send(text);
  focus();
});

whenShown("clip", async () => {
  note("");
  at("cliptext").focus();
  const before = at("cliptext").value;
  try {
    const text = await navigator.clipboard.readText();
    // The person may have been asked for permission, and have typed meanwhile.
    if (text && at("cliptext").value === before) at("cliptext").value = text;
  } catch { /* Not permitted: the person pastes into the field. */ }
});
on("clipsend", "click", () => {
  send(at("cliptext").value);
  note(say("sent"));
});
on("clipcopy", "click", async () => {
  try {
    await navigator.clipboard.writeText(at("cliptext").value);
    note(say("copied"));
  } catch {
    at("cliptext").select();
    note(say("copy-refused"));
  }
});
