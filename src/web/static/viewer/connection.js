// The connection to the desktop: noVNC's RFB class over a socket of ours, tried again by itself for
// as long as there is something to come back to, and honest words when there is not.
import { at, role, root, say, show, time, viewer } from "./page.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
const LONGEST_LOAD_MS = 20000;

/** The present connection: noVNC's object, its socket, and when the desktop last said anything. */
export const desktop = { rfb: null, socket: null, heard: 0 };

let failures = 0;
let timer = null;
/** How it ended, once it has: nothing is tried then. One with `returns` is over when the machine runs again. */
let ended = null;
let latest = null;

const prepared = [];
const opened = [];
const closed = [];
/** Calls back with every RFB object before it connects. */
export const whenPrepared = (call) => prepared.push(call);
/** Calls back when a connection is there. */
export const whenOpened = (call) => opened.push(call);
/** Calls back when a connection is gone. */
export const whenClosed = (call) => closed.push(call);

export const isOver = () => ended !== null;
/** Whether news of the session still matter. */
export const follows = () => !ended || Boolean(ended.returns);
export const connected = () => root.dataset.state === "connected";

/** Keys go to the desktop again. */
export function focus() {
  desktop.rfb?.focus({ preventScroll: true });
}

// noVNC tries out the browser's H.264 decoder while it loads, without a bound on the wait. Xtigervnc
// sends no H.264, so there is nothing to try and nothing to wait for.
delete window.VideoDecoder;
const loaded = load();

/**
 * Loads noVNC. When a file is lost on the way (a bad network, a busy computer) the browser gives up
 * on it for good, so the page is loaded again, and after three times says so.
 */
async function load() {
  const slow = new Promise((_, fail) => setTimeout(() => fail(new Error("slow")), LONGEST_LOAD_MS));
  try {
    const { default: RFB } = await Promise.race([import(viewer.dataset.novnc), slow]);
    sessionStorage.removeItem("berth.viewer.loads");
    return RFB;
  } catch {
    const loads = Number(sessionStorage.getItem("berth.viewer.loads")) + 1;
    sessionStorage.setItem("berth.viewer.loads", loads % 3);
    root.dataset.state = "stale";
    show(at("veil-title"), say("not-loaded"));
    show(at("veil-text"), say(loads < 3 ? "load-again" : "load-failed"));
    at("veil-retry").hidden = loads < 3;
    at("veil-retry").addEventListener("click", () => location.reload());
    if (loads < 3) setTimeout(() => location.reload(), 1000 * loads);
    return new Promise(() => {});
  }
}

function socketUrl() {
  const url = new URL(viewer.dataset.socket, location.href);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  return url.href;
}

export async function connect() {
  const RFB = await loaded;
  clearTimeout(timer);
  timer = null;
  if (ended || desktop.rfb) return;
  // The socket is ours, so that its close code is too: RFB only tells clean from unclean.
  const socket = new WebSocket(socketUrl(), ["binary"]);
  let code = 1006;
  socket.addEventListener("message", () => { desktop.heard = performance.now(); });
  // Registered before RFB's own listener, so the last picture is still there to be kept.
  socket.addEventListener("close", (event) => { code = event.code; keepPicture(); });
  const attempt = new RFB(at("screen"), socket, { shared: true });
  Object.assign(desktop, { rfb: attempt, socket });
  // The keyboard reaches it by Tab too, also where it is larger than its place and is scrolled.
  at("screen").querySelector("canvas").tabIndex = 0;
  attempt.background = "#11171a";
  // A courtesy to the person; the gateway drops what an observer sends.
  attempt.viewOnly = role === "observer";
  for (const call of prepared) call(attempt);
  attempt.addEventListener("connect", () => {
    failures = 0;
    state("connected");
    for (const call of opened) call(attempt);
    // Keys go to the desktop unless the person is typing somewhere else on this page.
    if (document.activeElement === document.body) focus();
  });
  attempt.addEventListener("disconnect", () => {
    // RFB hears of the close before or after us; a turn of the event loop settles it.
    setTimeout(() => {
      if (desktop.rfb !== attempt) return;
      release();
      lost(code);
    });
  });
  attempt.addEventListener("securityfailure", () => { code = 1011; });
}

function release() {
  Object.assign(desktop, { rfb: null, socket: null });
  for (const call of closed) call();
}

/** Keeps what was last seen on show behind the veil. */
function keepPicture() {
  const picture = at("screen").querySelector("canvas");
  if (!picture?.width) return;
  const last = at("last");
  last.width = picture.width;
  last.height = picture.height;
  last.getContext("2d").drawImage(picture, 0, 0);
  last.hidden = false;
}

const endings = {
  4401: { title: say("logged-out"), text: say("logged-out-text"), show: "link" },
  4403: { title: say("withdrawn"), text: say("withdrawn-text") },
  4404: { title: say("stopped"), text: say("stopped-text"), show: "start", returns: true },
  4408: { title: say("frozen"), text: say("frozen-text"), show: "resume", returns: true },
};
const gone = { title: say("gone"), text: say("gone-text") };
const resting = {
  paused: { title: say("frozen"), show: "resume", returns: true },
  stopped: { title: say("stopped"), show: "start", returns: true },
  failed: { title: say("failed"), show: "start", returns: true },
};
export const loggedOut = () => end(endings[4401]);
export const removed = () => end(gone);

function lost(code) {
  if (ended) return;
  const ending = endings[code];
  if (ending) {
    end(ending);
    // Somebody may be restarting it: then there is nothing to press.
    if (latest) told(latest, false);
    return;
  }
  if (code === 1001 && failures === 0) {
    failures = 1;
    stale(say("reconnecting"), say("restarted"));
    return connect();
  }
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.75 + Math.random() * 0.5);
  failures += 1;
  const again = pause < 1500 ? say("at-once") : say("in", { time: time(pause / 1000) });
  const why = code === 1013 ? say("no-answer-yet") : say("lost");
  stale(say("reconnecting"), `${why} ${again}`, failures > 1);
  // A refused upgrade hides its reason from scripts. The page itself knows it.
  timer = setTimeout(failures > 2 ? checkThenConnect : connect, pause);
}

async function checkThenConnect() {
  try {
    const answer = await fetch(viewer.dataset.events, { headers: { Accept: "text/event-stream" }, cache: "no-store" });
    answer.body?.cancel();
    if (answer.status === 401) return loggedOut();
    if (answer.status === 404) return removed();
  } catch { /* Not even the gateway answers: keep trying. */ }
  connect();
}

/**
 * The server's word on the session is surer than a close code, which a computer that slept has
 * missed, and than a refused upgrade, which says nothing. A machine that runs again is connected to
 * where it is: loading the page would wake one that was frozen meanwhile, and only a person may.
 */
export function told(status, news = true) {
  latest = status;
  if (!follows()) return;
  if (status.page === "at_rest") return end({ ...resting[status.state], text: status.sentence });
  if (status.page === "waiting") {
    if (ended) veil(status.word, [status.sentence, status.line].filter(Boolean).join(" "), null);
    return;
  }
  if (!news || !(ended || timer)) return;
  if (ended) stale(say("reconnecting"), say("runs-again"));
  ended = null;
  failures = 0;
  connect();
}

function end(ending) {
  ended = ending;
  clearTimeout(timer);
  timer = null;
  // A socket that does not know it yet.
  if (desktop.rfb) keepPicture();
  const left = desktop.rfb;
  release();
  left?.disconnect();
  veil(ending.title, ending.text, ending.show);
  state("ended");
}

function stale(title, text, retry = false) {
  veil(title, text, retry ? "retry" : null);
  state("stale");
}

function state(name) {
  if (root.dataset.state !== name) root.dataset.state = name;
}

function veil(title, text, shown) {
  show(at("veil-title"), title);
  show(at("veil-text"), text);
  for (const kind of ["link", "start", "resume", "retry"]) {
    const action = at(`veil-${kind}`);
    // Only the owner may start and resume.
    if (action) action.hidden = kind !== shown;
  }
  if (shown === "link") at("veil-link").href = location.href;
}

// Waking from sleep or coming back online should not wait for the pause to pass.
for (const [target, event] of [[window, "online"], [document, "visibilitychange"]]) {
  target.addEventListener(event, () => { if (timer && !document.hidden) connect(); });
}
at("veil-retry").addEventListener("click", connect);
