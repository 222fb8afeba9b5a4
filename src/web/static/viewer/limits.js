// How long this machine has: a short text in the toolbar, and a banner when it gets serious.
import { isOver } from "./connection.js";
import { at, on, say, show, time, viewer } from "./page.js";

/** The banner comes ten minutes before the end, and again, as other words, two minutes before. */
const BANNER_S = 600;

const causes = {
  away: (args) => say("soon-away", args),
  busy: (args) => say("soon-busy", args),
  closing_time: (args) => say("soon-closing", args),
  no_viewer: (args) => say("soon-no-viewer", args),
  total: (args) => say("soon-total", args),
};

let deadline = null;
/** What the last extension came to, until the next status. */
let answer = null;

/** The server's word on the limits. */
export function limited(status) {
  const known = status.expires_in_s != null && status.state === "ready";
  deadline = known ? {
    at: Date.now() + status.expires_in_s * 1000,
    because: status.expires_because,
    extendable: status.extendable === true,
  } : null;
  answer = null;
  showLeft();
}

/** Called every few seconds, because time goes by in between. */
export function showLeft() {
  const seconds = deadline ? (deadline.at - Date.now()) / 1000 : Infinity;
  const known = deadline !== null && !isOver();
  at("left").hidden = !known;
  at("banner").hidden = !known || seconds > BANNER_S;
  if (!known) return;
  show(at("left"), say("left", { time: time(seconds, "short") }));
  at("left").classList.toggle("soon", seconds <= BANNER_S);
  // Whole minutes, so that it is not read out all the time.
  const args = { time: time(Math.max(60, Math.ceil(seconds / 60) * 60)) };
  const cause = causes[deadline.because] ?? causes.total;
  show(at("banner-text"), answer ?? cause(args));
  if (at("extend")) at("extend").hidden = !deadline.extendable || answer !== null;
}

async function extend() {
  answer = say("extending");
  showLeft();
  answer = await ask();
  showLeft();
}

/** Asks for more time; says how it went. */
async function ask() {
  try {
    const response = await fetch(`${viewer.dataset.actions}/extend`, {
      method: "POST",
      body: new URLSearchParams({ csrf: viewer.dataset.csrf }),
      // Forms are answered with the page to see next; this one is already here.
      redirect: "manual",
      headers: { Accept: "application/json" },
    });
    if (response.ok || response.type === "opaqueredirect") return say("extended");
    return (await response.json()).detail ?? say("not-extended");
  } catch {
    return say("not-extended");
  }
}

// On a session's own host it is a link to the portal, where the login may change things.
if (viewer.dataset.actions) on("extend", "click", extend);
