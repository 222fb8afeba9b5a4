// What the server says of the session, as long as this page is open.
import { follows } from "./connection.js";
import { viewer } from "./page.js";

/** The server speaks every 15 seconds; a stream that was silent for longer is dead. */
const SILENCE_MS = 45000;

let stream = null;
let heard = 0;

/** Follows the session; `tell` has a function for each event: `status`, `removed`, `loginEnded`. */
export function follow(tell) {
  stream?.close();
  const mine = new EventSource(viewer.dataset.events);
  stream = mine;
  heard = Date.now();
  mine.addEventListener("status", (event) => {
    heard = Date.now();
    tell.status(JSON.parse(event.data));
  });
  mine.addEventListener("removed", tell.removed);
  mine.addEventListener("login_ended", tell.loginEnded);
  mine.addEventListener("error", () => {
    if (mine.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { if (mine === stream && follows()) follow(tell); }, 15000 + Math.random() * 5000);
  });
}

/** Called every few seconds: replaces a stream that has died without a word. */
export function check(tell) {
  if (!follows()) stream?.close();
  else if (Date.now() - heard > SILENCE_MS) follow(tell);
}
