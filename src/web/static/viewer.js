// The desktop in the browser: noVNC's RFB class, a toolbar around it, and honest words when the
// connection is not there. Tests read `data-state` on <html> and the canvas inside #screen.
const root = document.documentElement;
const at = (id) => document.getElementById(id);
const viewer = at("viewer");
// noVNC tries out the browser's H.264 decoder while it loads, without a bound on the wait. Xtigervnc
// sends no H.264, so there is nothing to try and nothing to wait for.
delete window.VideoDecoder;
const RFB = await load();

/**
 * Loads noVNC, some fifty small files. When one of them is lost on the way (a bad network, a busy
 * computer) the browser gives up on all, so the page is loaded again, and after three times says so.
 */
async function load() {
  const LONGEST_LOAD_MS = 20000;
  const slow = new Promise((_, fail) => setTimeout(() => fail(new Error("slow")), LONGEST_LOAD_MS));
  try {
    const { default: loaded } = await Promise.race([import(viewer.dataset.novnc), slow]);
    sessionStorage.removeItem("berth.viewer.loads");
    return loaded;
  } catch {
    const loads = Number(sessionStorage.getItem("berth.viewer.loads")) + 1;
    sessionStorage.setItem("berth.viewer.loads", loads % 3);
    root.dataset.state = "stale";
    at("veil-title").textContent = "The viewer did not load";
    if (loads < 3) {
      at("veil-text").textContent = "Part of this page was lost on the way. It is loaded again.";
      setTimeout(() => location.reload(), 1000 * loads);
    } else {
      at("veil-text").textContent = "Part of this page was lost on the way, three times. Check your network, then try again.";
      at("veil-retry").hidden = false;
      at("veil-retry").addEventListener("click", () => location.reload());
    }
    return new Promise(() => {});
  }
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
/** The server speaks every 15 seconds; a stream that was silent for longer is dead. */
const SILENCE_MS = 45000;
const settings = { fit: stored("fit", true), resize: stored("resize", false) };

let rfb = null;
let failures = 0;
let timer = null;
/** How it ended, once it has: nothing is tried then. One with `returns` is over when the machine runs again. */
let ended = null;
let stream = null;
let heard = 0;
let latest = null;

function stored(key, standard) {
  try { return JSON.parse(localStorage.getItem(`berth.viewer.${key}`)) ?? standard; } catch { return standard; }
}
function store(key, value) {
  try { localStorage.setItem(`berth.viewer.${key}`, JSON.stringify(value)); } catch { /* Private windows may refuse. */ }
}

// --- The connection ----------------------------------------------------------------------

function socketUrl() {
  const url = new URL(viewer.dataset.socket, location.href);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  return url.href;
}

function connect() {
  clearTimeout(timer);
  timer = null;
  if (ended || rfb) return;
  // The socket is ours, so that its close code is too: RFB only tells clean from unclean.
  const socket = new WebSocket(socketUrl(), ["binary"]);
  let code = 1006;
  // Registered before RFB's own listener, so the last picture is still there to be kept.
  socket.addEventListener("close", (event) => { code = event.code; keepPicture(); });
  const attempt = new RFB(at("screen"), socket, { shared: true });
  rfb = attempt;
  attempt.scaleViewport = settings.fit;
  attempt.resizeSession = settings.resize;
  attempt.background = "#11171a";
  attempt.addEventListener("connect", () => {
    failures = 0;
    state("connected");
    // Keys go to the desktop unless the person is typing somewhere else on this page.
    if (document.activeElement === document.body) attempt.focus({ preventScroll: true });
  });
  attempt.addEventListener("disconnect", () => {
    // RFB hears of the close before or after us; a turn of the event loop settles it.
    setTimeout(() => {
      if (rfb !== attempt) return;
      rfb = null;
      lost(code);
    });
  });
  attempt.addEventListener("clipboard", (event) => received(event.detail.text));
  attempt.addEventListener("securityfailure", () => { code = 1011; });
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
  4401: { title: "You are logged out", text: "Your desktop goes on running. Log in again to come back to it.", show: "link" },
  4403: { title: "This desktop is no longer shared with you", text: "Its owner or a teacher ended your access. Ask them if you still need it." },
  4404: { title: "This machine has stopped", text: "The files in its home are kept. Start it again when you need it.", show: "start", returns: true },
  4408: { title: "This machine was frozen", text: "Nobody had used it for a while. Resume it to go on exactly where you were.", show: "resume", returns: true },
};
const gone = { title: "This machine is gone", text: "It was deleted, or it is no longer yours." };
const resting = {
  paused: { title: "This machine was frozen", show: "resume", returns: true },
  stopped: { title: "This machine has stopped", show: "start", returns: true },
  failed: { title: "This machine did not start", show: "start", returns: true },
};

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
    stale("Reconnecting", "Berth is being restarted. Your desktop goes on; this takes a moment.");
    return connect();
  }
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.75 + Math.random() * 0.5);
  failures += 1;
  const again = pause < 1500 ? "It is tried again at once." : `It is tried again in ${Math.round(pause / 1000)} seconds.`;
  const why = code === 1013
    ? "Your desktop does not answer yet."
    : "The connection was lost. Your desktop goes on; what you see behind this is old.";
  stale("Reconnecting", `${why} ${again}`, failures > 1);
  // A refused upgrade hides its reason from scripts. The page itself knows it.
  timer = setTimeout(failures > 2 ? checkThenConnect : connect, pause);
}

async function checkThenConnect() {
  try {
    const answer = await fetch(viewer.dataset.events, { headers: { Accept: "text/event-stream" }, cache: "no-store" });
    answer.body?.cancel();
    if (answer.status === 401) return end(endings[4401]);
    if (answer.status === 404) return end(gone);
  } catch { /* Not even the gateway answers: keep trying. */ }
  connect();
}

/**
 * The server's word on the session is surer than a close code, which a computer that slept has
 * missed, and than a refused upgrade, which says nothing. A machine that runs again is connected to
 * where it is: loading the page would wake one that was frozen meanwhile, and only a person may.
 */
function told(status, news = true) {
  if (ended && !ended.returns) return;
  if (status.page === "at_rest") return end({ ...resting[status.state], text: status.sentence });
  if (status.page === "waiting") {
    if (ended) veil(status.word, [status.sentence, status.line].filter(Boolean).join(" "), null);
    return;
  }
  if (!news || !(ended || timer)) return;
  if (ended) stale("Reconnecting", "Your machine runs again.");
  ended = null;
  failures = 0;
  connect();
}

function end(ending) {
  ended = ending;
  clearTimeout(timer);
  timer = null;
  // A socket that does not know it yet.
  if (rfb) keepPicture();
  const left = rfb;
  rfb = null;
  left?.disconnect();
  if (!ending.returns) stream?.close();
  at("banner").hidden = true;
  veil(ending.title, ending.text, ending.show);
  state("ended");
}

function stale(title, text, retry = false) {
  veil(title, text, retry ? "retry" : null);
  state("stale");
}

function state(name) {
  if (root.dataset.state === name) return;
  root.dataset.state = name;
}

function veil(title, text, show) {
  if (at("veil-title").textContent !== title) at("veil-title").textContent = title;
  if (at("veil-text").textContent !== text) at("veil-text").textContent = text;
  for (const kind of ["link", "start", "resume", "retry"]) at(`veil-${kind}`).hidden = kind !== show;
  if (show === "link") at("veil-link").href = location.href;
}

// Waking from sleep or coming back online should not wait for the pause to pass.
for (const [target, event] of [[window, "online"], [document, "visibilitychange"]]) {
  target.addEventListener(event, () => { if (timer && !document.hidden) connect(); });
}
at("veil-retry").addEventListener("click", connect);

// --- What the server says of the session -------------------------------------------------

let deadline = null;

function showLeft() {
  const seconds = deadline ? (deadline.at - Date.now()) / 1000 : Infinity;
  const limit = seconds <= 120 ? 120 : seconds <= 600 ? 600 : null;
  at("banner").hidden = ended || limit === null;
  if (limit === null || ended) return;
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const when = `in ${minutes} minute${minutes === 1 ? "" : "s"}`;
  const text = deadline.because === "total"
    ? `This machine stops ${when}: its time is up then. Save your work; your files are kept.`
    : `Nobody has used this machine for a while. It freezes ${when}; press a key or move the pointer in it to go on.`;
  if (at("banner").textContent !== text) at("banner").textContent = text;
}

function follow() {
  stream?.close();
  const mine = new EventSource(viewer.dataset.events);
  stream = mine;
  heard = Date.now();
  mine.addEventListener("status", (event) => {
    heard = Date.now();
    const status = latest = JSON.parse(event.data);
    const known = status.expires_in_s !== null && status.state === "ready";
    deadline = known ? { at: Date.now() + status.expires_in_s * 1000, because: status.expires_because } : null;
    showLeft();
    told(status);
  });
  mine.addEventListener("removed", () => end(gone));
  mine.addEventListener("login_ended", () => end(endings[4401]));
  mine.addEventListener("error", () => {
    if (mine.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { if (mine === stream && follows()) follow(); }, 15000 + Math.random() * 5000);
  });
}
const follows = () => !ended || ended.returns;
setInterval(() => {
  showLeft();
  if (follows() && Date.now() - heard > SILENCE_MS) follow();
}, 5000);
follow();

// --- Tools -------------------------------------------------------------------------------

function press(id, on) { at(id).setAttribute("aria-pressed", String(on)); }

function toggle(key, apply) {
  press(key, settings[key]);
  at(key).addEventListener("click", () => {
    settings[key] = !settings[key];
    store(key, settings[key]);
    press(key, settings[key]);
    if (rfb) apply(rfb, settings[key]);
  });
}
toggle("fit", (desktop, on) => { desktop.scaleViewport = on; });
toggle("resize", (desktop, on) => { desktop.resizeSession = on; });

if (!document.fullscreenEnabled) at("full").hidden = true;
at("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else viewer.requestFullscreen().catch(() => {});
});
document.addEventListener("fullscreenchange", () => press("full", document.fullscreenElement !== null));

at("cad").addEventListener("click", () => {
  rfb?.sendCtrlAltDel();
  rfb?.focus({ preventScroll: true });
});

function fold(folded) {
  at("bar").classList.toggle("folded", folded);
  at("fold").setAttribute("aria-expanded", String(!folded));
  if (folded) showClipboard(false);
}
at("fold").addEventListener("click", () => {
  const folded = !at("bar").classList.contains("folded");
  store("folded", folded);
  fold(folded);
});
fold(stored("folded", false));

// Arrow keys walk the toolbar, as assistive technology expects of one.
at("tools").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tools = [...at("tools").querySelectorAll("a, button")].filter((tool) => !tool.hidden);
  const next = tools.indexOf(document.activeElement) + step;
  tools[(next + tools.length) % tools.length].focus();
  event.preventDefault();
});

// --- Clipboard ---------------------------------------------------------------------------

function showClipboard(shown) {
  at("clipboard").hidden = !shown;
  at("clip").setAttribute("aria-expanded", String(shown));
}

function note(text) { at("clipnote").textContent = text; }

/** Text was copied on the desktop. */
async function received(text) {
  at("cliptext").value = text;
  try {
    await navigator.clipboard.writeText(text);
    note("Copied on the desktop, and to this computer.");
  } catch {
    note("Copied on the desktop.");
  }
}

at("clip").addEventListener("click", async () => {
  const shown = at("clipboard").hidden;
  showClipboard(shown);
  if (!shown) return rfb?.focus({ preventScroll: true });
  note("");
  at("cliptext").focus();
  try {
    const text = await navigator.clipboard.readText();
    if (text) at("cliptext").value = text;
  } catch { /* Not permitted: the person pastes into the field. */ }
});
at("clipsend").addEventListener("click", () => {
  rfb?.clipboardPasteFrom(at("cliptext").value);
  note("Sent. Paste it on the desktop with Ctrl+V.");
});
at("clipcopy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(at("cliptext").value);
    note("Copied to this computer.");
  } catch {
    at("cliptext").select();
    note("Your browser does not allow that. Press Ctrl+C to copy the marked text.");
  }
});
at("clipclose").addEventListener("click", () => {
  showClipboard(false);
  at("clip").focus();
});
at("clipboard").addEventListener("keydown", (event) => {
  if (event.key === "Escape") at("clipclose").click();
});

connect();
