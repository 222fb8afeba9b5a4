// Keeps the rows as they are on the server, and counts what is chosen. Everything here also works
// without it.
const rows = document.getElementById("rows");
const all = document.getElementById("all");
const picked = document.getElementById("picked");
const others = document.getElementById("others");
const boxes = () => [...rows.querySelectorAll("input[name=label]")];

function count() {
  const chosen = boxes().filter((box) => box.checked).length;
  if (chosen) picked.textContent = picked.dataset.text.replace("{count}", chosen);
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

function show(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.querySelector("tr");
  const old = fresh && document.getElementById(fresh.id);
  if (!old) return;
  // What was chosen stays chosen, the picture stays loaded, and the keyboard stays where it was.
  fresh.querySelector("input[name=label]").checked = old.querySelector("input[name=label]")?.checked;
  const [before, after] = [old.querySelector("img"), fresh.querySelector("img")];
  if (before && after && before.src === after.src) after.replaceWith(before);
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const key = active && (active.dataset.key ? `[data-key="${active.dataset.key}"]` : "input[name=label]");
  old.replaceWith(fresh);
  if (key) fresh.querySelector(key)?.focus();
  spell(fresh);
}

function gone(label) {
  const row = document.getElementById(`row-${label}`);
  if (!row) return;
  row.classList.add("gone");
  for (const control of row.querySelectorAll("input, .actions > *")) control.remove();
  const state = row.querySelector(".state");
  state.dataset.state = "stopped";
  state.textContent = rows.dataset.gone;
  count();
}

// How long ago, in the page's own language.
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
function spell(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds < 60) continue;
    const [unit, size] = seconds < 3600 ? ["minute", 60] : seconds < 172800 ? ["hour", 3600] : ["day", 86400];
    time.textContent = words.format(-Math.floor(seconds / size), unit);
  }
}

function follow() {
  const stream = new EventSource(rows.dataset.events);
  stream.addEventListener("row", (event) => show(event.data));
  stream.addEventListener("gone", (event) => gone(event.data));
  stream.addEventListener("figures", (event) => { document.getElementById("figures").innerHTML = event.data; });
  stream.addEventListener("others", (event) => {
    others.textContent = others.dataset.text.replace("{count}", event.data);
    others.hidden = false;
  });
  stream.addEventListener("login_ended", () => location.reload());
  stream.addEventListener("error", () => {
    // The browser gives up for good on an answer that is no stream: the login may have ended.
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000 + Math.random() * 2000);
  });
}

if (rows) {
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; count(); });
  rows.addEventListener("change", count);
  setInterval(() => spell(rows), 30000);
  // Also after the browser has brought back an older page with its boxes ticked.
  count();
  follow();
}
