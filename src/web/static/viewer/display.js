// How the desktop is shown: its size, the quality of the picture, the whole screen, a screenshot.
import { desktop, focus, whenPrepared } from "./connection.js";
import { at, on, role, say, show, store, stored, viewer } from "./page.js";

const settings = {
  size: stored("size", "fit"),
  quality: stored("quality", 6),
  compression: stored("compression", 2),
};
if (!at(settings.size)) settings.size = "fit";

function apply(rfb) {
  // In both ways the whole desktop is seen: one that cannot be resized is scaled.
  rfb.scaleViewport = settings.size !== "actual";
  rfb.resizeSession = settings.size === "resize" && role !== "observer";
  rfb.qualityLevel = settings.quality;
  rfb.compressionLevel = settings.compression;
}
whenPrepared(apply);

function change(key, value) {
  settings[key] = value;
  store(key, value);
  if (desktop.rfb) apply(desktop.rfb);
}

for (const choice of document.querySelectorAll("input[name=size]")) {
  choice.checked = choice.value === settings.size;
  choice.addEventListener("change", () => change("size", choice.value));
}
for (const key of ["quality", "compression"]) {
  at(key).value = settings[key];
  at(key).addEventListener("change", () => change(key, Number(at(key).value)));
}

if (!document.fullscreenEnabled) at("full").hidden = true;
on("full", "click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else viewer.requestFullscreen().catch(() => {});
});

// A link may ask for the whole screen. Browsers give it only to a press on this page, so the page
// asks for that, and no more once it was answered. (No element has the fragment's name: the browser
// would give it the keyboard.)
function answered(wanted) {
  at("offer").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
  if (wanted) viewer.requestFullscreen().catch(() => {});
  focus();
}
if (location.hash === "#whole-screen" && document.fullscreenEnabled) {
  at("offer").hidden = false;
  at("offer-full").focus();
}
on("offer-full", "click", () => answered(true));
on("offer-no", "click", () => answered(false));
on("offer", "keydown", (event) => { if (event.key === "Escape") answered(false); });

document.addEventListener("fullscreenchange", () => {
  at("full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
});

/** `My desktop 2026-11-22 14-05-09.png`: sorts by time, and is a name everywhere. */
function fileName() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("-");
  const name = viewer.dataset.name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_");
  return `${name} ${day} ${clock}.png`;
}

on("shot", "click", () => {
  const picture = at("screen").querySelector("canvas");
  picture?.toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    const file = fileName();
    Object.assign(document.createElement("a"), { href: address, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    show(at("shot-note"), say("shot", { file }));
  });
});
