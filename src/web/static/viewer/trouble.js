// Tells a slow network from a desktop that does not answer.
//
// The network: a tiny request to the gateway every ten seconds, and how long its answer takes. The
// desktop: one pixel of it is asked for (a FramebufferUpdateRequest that is not incremental, which
// every server answers at once) whenever it was silent for a while, and after input. Only when the
// gateway answers while the desktop does not is it the desktop's fault.
import { connected, desktop, whenOpened } from "./connection.js";
import { at, say, show, viewer } from "./page.js";

const TICK_MS = 1000;
const PING_EVERY_MS = 10000;
const PING_IN_DOUBT_MS = 2000;
const PING_PATIENCE_MS = 8000;
/** A round trip that people feel in every key. */
const SLOW_MS = 600;
/** A desktop that answers nothing for this long does not answer. */
const DESKTOP_PATIENCE_MS = 5000;
/** After input the desktop is asked if it says nothing for this long. */
const AFTER_INPUT_MS = 1500;
/** FramebufferUpdateRequest (RFC 6143 §7.5.3): not incremental, at 0, 0, one pixel. */
const ONE_PIXEL = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 1, 0, 1]);

const network = { sent: null, answered: 0, times: [], failed: false };
/** When the desktop was asked for a pixel and has said nothing since. */
let asked = null;
let input = null;

async function ping() {
  network.sent = performance.now();
  const begun = network.sent;
  try {
    const answer = await fetch(viewer.dataset.ping, { cache: "no-store", signal: AbortSignal.timeout(PING_PATIENCE_MS) });
    await answer.text();
    network.times = [...network.times.slice(-2), performance.now() - begun];
    network.failed = false;
    network.answered = performance.now();
  } catch {
    network.failed = true;
    network.times = [];
  }
  network.sent = null;
  network.last = begun;
}

function pingIfDue(now) {
  const every = asked === null && !network.failed && !isSlow(now) ? PING_EVERY_MS : PING_IN_DOUBT_MS;
  if (network.sent === null && now - (network.last ?? -Infinity) >= every) ping();
}

function askIfDue(now) {
  if (asked !== null && desktop.heard > asked) asked = null;
  if (input !== null && desktop.heard > input) input = null;
  const silent = now - desktop.heard > PING_EVERY_MS;
  const ignored = input !== null && now - input > AFTER_INPUT_MS;
  if (asked !== null || !(silent || ignored) || desktop.socket?.readyState !== WebSocket.OPEN) return;
  input = null;
  asked = now;
  desktop.socket.send(ONE_PIXEL);
}

function isSlow(now) {
  const underWay = network.sent === null ? 0 : now - network.sent;
  const median = [...network.times].sort((a, b) => a - b)[Math.floor(network.times.length / 2)] ?? 0;
  return Math.max(underWay, median) > SLOW_MS;
}

/** `null` when all is well. */
function verdict(now) {
  if (network.failed) return "no-network";
  if (isSlow(now)) return "slow-network";
  // The gateway has answered since: the silence is the desktop's own.
  const silent = asked !== null && now - asked > DESKTOP_PATIENCE_MS && network.answered > asked;
  return silent ? "frozen-desktop" : null;
}

const texts = {
  "no-network": () => [say("no-network"), say("no-network-text")],
  "slow-network": () => [say("slow-network"), say("slow-network-text")],
  "frozen-desktop": () => [say("frozen-desktop"), say("frozen-desktop-text")],
};

function forget() {
  Object.assign(network, { times: [], failed: false });
  asked = input = null;
}

setInterval(() => {
  // Hidden pages are slowed down by the browser: what they measure is themselves.
  if (document.hidden || !connected()) {
    forget();
    at("trouble").hidden = true;
    return;
  }
  const now = performance.now();
  askIfDue(now);
  pingIfDue(now);
  const found = verdict(now);
  at("trouble").dataset.cause = found ?? "";
  at("trouble").hidden = found === null;
  if (found === null) return;
  const [title, text] = texts[found]();
  show(at("trouble-title"), title);
  show(at("trouble-text"), text);
}, TICK_MS);

whenOpened(forget);
for (const event of ["keydown", "pointerdown"]) {
  at("screen").addEventListener(event, () => { input ??= performance.now(); }, true);
}
