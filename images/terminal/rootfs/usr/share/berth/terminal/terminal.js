// The window of one shell: keys go up, what the shell prints comes down, and a lost connection is found again.
"use strict";

const words = {
  en: { lost: "The connection was lost. Trying again…", ended: "The shell has ended. Press Enter for a new one." },
  fr: { lost: "La connexion est perdue. Nouvel essai…", ended: "Le shell est terminé. Appuyez sur Entrée pour en ouvrir un autre." },
};
const language = (navigator.languages || []).map((tag) => tag.slice(0, 2)).find((tag) => tag in words) || "en";
document.documentElement.lang = language;

const light = {
  background: "#fcfcfb", foreground: "#23272c", cursor: "#23272c", selectionBackground: "#b9d7ee",
  black: "#23272c", red: "#b3261e", green: "#256d1b", yellow: "#7a5900", blue: "#1f5f8b", magenta: "#8a3a8f", cyan: "#0d6b6b", white: "#6b7278",
  brightBlack: "#5a6168", brightRed: "#c43a31", brightGreen: "#2f7f24", brightYellow: "#8a6600", brightBlue: "#2b6ea3", brightMagenta: "#9c4aa1", brightCyan: "#177a7a", brightWhite: "#23272c",
};
const dark = { background: "#17191c", foreground: "#dfe3e8", cursor: "#dfe3e8", selectionBackground: "#35516a" };
const darkness = matchMedia("(prefers-color-scheme: dark)");
const theme = () => (darkness.matches ? dark : light);

const terminal = new Terminal({
  theme: theme(), fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", fontSize: 15,
  scrollback: 10000, cursorBlink: false, minimumContrastRatio: 4.5,
});
const fit = new FitAddon.FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new WebLinksAddon.WebLinksAddon());
terminal.open(document.getElementById("terminal"));
darkness.addEventListener("change", () => { terminal.options.theme = theme(); });

const notice = document.getElementById("notice");
function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
  fit.fit();
}

const shell = new URLSearchParams(location.search).get("shell") || "1";
const address = new URL(`socket/${encodeURIComponent(shell)}`, location.href);
address.protocol = address.protocol.replace("http", "ws");

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 8000;
let socket = null, ended = false, wait = FIRST_WAIT_MS;

function send(...message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function connect() {
  ended = false;
  socket = new WebSocket(address);
  socket.onmessage = ({ data }) => {
    const [kind, text] = JSON.parse(data);
    if (kind === "setup") {
      // What the shell printed before is sent again.
      terminal.reset();
      wait = FIRST_WAIT_MS;
      say("");
      send("set_size", terminal.rows, terminal.cols);
      document.body.dataset.state = "connected";
    } else if (kind === "stdout") {
      terminal.write(text);
    } else if (kind === "disconnect") {
      ended = true;
    }
  };
  socket.onclose = () => {
    document.body.dataset.state = ended ? "ended" : "lost";
    say(words[language][ended ? "ended" : "lost"]);
    if (ended) return;
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  };
}

terminal.onData((text) => {
  if (ended) {
    if (text === "\r") connect();
  } else {
    send("stdin", text);
  }
});
terminal.onResize(({ rows, cols }) => send("set_size", rows, cols));
new ResizeObserver(() => fit.fit()).observe(document.getElementById("terminal"));
fit.fit();
terminal.focus();
connect();
