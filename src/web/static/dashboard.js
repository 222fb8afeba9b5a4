// Keeps the cards as they are on the server. Everything here also works without it.
const cards = document.getElementById("cards");
const shared = document.getElementById("shared");
const empty = document.getElementById("empty");
const offline = document.getElementById("offline");

const words = JSON.parse(cards.dataset.words);

/**
 * A length of time the way people say it, as on the server: `whole` is Math.round for time that is
 * left and Math.floor for time that has passed.
 */
function spoken(seconds, whole) {
  const units = (unit) => whole(Math.max(0, seconds) / unit);
  const say = (number, unit) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" }).format(number);
  if (units(1) < 60) return say(units(1), "second");
  if (units(60) < 60) return say(units(60), "minute");
  if (units(3600) < 48) return say(units(3600), "hour");
  return say(units(86400), "day");
}

function setLeft(line, seconds) {
  line.dataset.endsAt = Date.now() + seconds * 1000;
}

function tick() {
  for (const line of document.querySelectorAll(".left[data-left-s]")) {
    if (!line.dataset.endsAt) setLeft(line, Number(line.dataset.leftS));
    const seconds = Math.max(0, (line.dataset.endsAt - Date.now()) / 1000);
    line.textContent = line.dataset.leftWords.replace("{}", spoken(seconds, Math.round));
    line.classList.toggle("soon", seconds < 600);
  }
  for (const mark of document.querySelectorAll("time.elapsed")) {
    const seconds = (Date.now() - Date.parse(mark.dateTime)) / 1000;
    const far = words["so-far"].replace("{time}", spoken(seconds, Math.floor));
    mark.textContent = seconds > 2 ? far : "";
  }
  for (const mark of document.querySelectorAll(".used time")) {
    const seconds = (Date.now() - Date.parse(mark.dateTime)) / 1000;
    mark.textContent = seconds < 10 ? words["now"] : words["ago"].replace("{time}", spoken(seconds, Math.floor));
  }
}

/** Times say on hover when they are, on the reader's own clock. */
function local() {
  const how = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "full", timeStyle: "medium" });
  for (const mark of document.querySelectorAll("time[datetime]")) mark.title = how.format(new Date(mark.dateTime));
}

// --- Finding one among many --------------------------------------------------------------
const finder = document.getElementById("finder");
const find = document.getElementById("find");

function sift() {
  if (!finder) return;
  const sought = find.value.trim().toLowerCase();
  const all = [...cards.querySelectorAll(".card")];
  for (const card of all) card.hidden = !card.dataset.sought.includes(sought);
  document.getElementById("unfound").hidden = all.some((card) => !card.hidden);
}
find?.addEventListener("input", sift);
document.getElementById("sort")?.addEventListener("change", () => finder.requestSubmit());

// --- The form for a new one --------------------------------------------------------------
const create = document.getElementById("create");
const name = document.getElementById("new-name");

document.getElementById("new")?.addEventListener("click", (event) => {
  if (!create) return;
  event.preventDefault();
  create.open = true;
  create.scrollIntoView();
  create.querySelector("input:checked")?.focus({ preventScroll: true });
});
// A name that was not typed follows what is chosen.
const suggestions = [...document.querySelectorAll("[data-suggestion]")];
for (const choice of suggestions) {
  choice.addEventListener("change", () => {
    const untouched = suggestions.some((other) => other.dataset.suggestion === name.value);
    if (untouched) name.value = choice.dataset.suggestion;
  });
}

function count_cards() {
  empty.hidden = cards.querySelector(".card") !== null;
  shared.parentElement.hidden = shared.querySelector(".card") === null;
}

function show(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.querySelector(".card");
  if (!fresh) return;
  const old = document.getElementById(fresh.id);
  if (!old) {
    (fresh.dataset.shared ? shared : cards).append(fresh);
  } else {
    // The keyboard stays where it was, and an open menu stays open.
    const key = old.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const open = old.querySelector("details[open]") !== null;
    old.replaceWith(fresh);
    // The screen stays in sight: a picture that is there need not be asked for again.
    const [seen, unseen] = [old, fresh].map((card) => card.querySelector(".screen img"));
    if (seen && unseen) unseen.replaceWith(seen);
    const more = fresh.querySelector("details");
    if (open && more) more.open = true;
    if (key) (fresh.querySelector(`[data-key="${key}"]`) ?? fresh.querySelector("a, button"))?.focus();
  }
  count_cards();
  sift();
  tick();
  local();
}

function follow() {
  const stream = new EventSource(cards.dataset.events);
  stream.addEventListener("open", () => { offline.hidden = true; });
  stream.addEventListener("card", (event) => show(event.data));
  stream.addEventListener("removed", (event) => {
    document.getElementById(`card-${event.data}`)?.remove();
    count_cards();
  });
  // What went while nothing was followed, no other event tells.
  stream.addEventListener("all", (event) => {
    const there = new Set(JSON.parse(event.data).map((label) => `card-${label}`));
    for (const card of document.querySelectorAll("#cards .card, #shared .card")) {
      if (!there.has(card.id)) card.remove();
    }
    count_cards();
  });
  stream.addEventListener("times", (event) => {
    for (const [label, seconds] of Object.entries(JSON.parse(event.data))) {
      const line = document.querySelector(`#card-${CSS.escape(label)} .left`);
      if (line) setLeft(line, seconds);
    }
  });
  stream.addEventListener("used", (event) => {
    for (const [label, at] of Object.entries(JSON.parse(event.data))) {
      const mark = document.querySelector(`#card-${CSS.escape(label)} .used time`);
      if (mark) mark.dateTime = at;
    }
    tick();
    local();
  });
  stream.addEventListener("reload", () => location.reload());
  stream.addEventListener("login_ended", () => location.reload());
  stream.addEventListener("error", () => {
    offline.hidden = false;
    // The browser gives up for good on an answer that is no stream: the login may have ended.
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000 + Math.random() * 2000);
  });
}

// --- Screens -----------------------------------------------------------------------------
const PICTURE_EVERY_MS = 15_000;
let looked = Date.now();

// An image that cannot be had gives way to the outline behind it. (These events do not bubble.)
cards.addEventListener("error", (event) => event.target.classList.add("blank"), true);
cards.addEventListener("load", (event) => event.target.classList.remove("blank"), true);
for (const image of cards.querySelectorAll(".screen img")) {
  image.classList.toggle("blank", image.complete && image.naturalWidth === 0);
}

/** Shows a desktop as it is now; if that cannot be had, what is shown stays. */
async function look(image) {
  image.dataset.picture ??= image.src;
  try {
    const answer = await fetch(image.dataset.picture, { headers: { Accept: "image/png" } });
    const tag = answer.headers.get("ETag");
    if (!answer.ok || tag === image.dataset.tag) return;
    const [before, now] = [image.src, URL.createObjectURL(await answer.blob())];
    image.addEventListener("load", () => URL.revokeObjectURL(before), { once: true });
    image.dataset.tag = tag;
    image.src = now;
  } catch { /* Offline: the line above the cards says so. */ }
}

function lookAround() {
  if (document.visibilityState !== "visible" || Date.now() - looked < PICTURE_EVERY_MS) return;
  looked = Date.now();
  // A frozen desktop looks as it did.
  for (const image of cards.querySelectorAll('.card[data-state="ready"] .screen img')) look(image);
}
setInterval(lookAround, 1000);
document.addEventListener("visibilitychange", lookAround);

// One press is one request. The button wakes up again if the page comes back from history.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
});
// A menu closes when one goes elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.more[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.more[open]")) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  }
});

tick();
local();
setInterval(tick, 1000);
follow();
