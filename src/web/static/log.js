// Puts new lines on top as they are written. Everything here also works without it.
const lines = document.getElementById("lines");
const live = document.getElementById("live");
const MOST = 200;

function put(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const row = holder.content.querySelector("tr");
  if (!row || document.getElementById(row.id)) return;
  row.classList.add("fresh");
  lines.prepend(row);
  document.getElementById("empty").hidden = true;
  document.getElementById("table").hidden = false;
  // What fell off the end is on the pages behind this one; an opened line stays.
  while (lines.rows.length > MOST && !lines.lastElementChild.querySelector("details[open]")) lines.lastElementChild.remove();
}

function follow() {
  const stream = new EventSource(lines.dataset.events);
  stream.addEventListener("open", () => { live.textContent = live.dataset.live; });
  stream.addEventListener("line", (event) => {
    put(event.data);
    // A stream that is opened anew goes on from here.
    const address = new URL(lines.dataset.events, location.href);
    address.searchParams.set("after", event.lastEventId);
    lines.dataset.events = address.pathname + address.search;
  });
  stream.addEventListener("login_ended", () => location.reload());
  stream.addEventListener("error", () => {
    live.textContent = live.dataset.offline;
    // The browser gives up for good on an answer that is no stream: the login may have ended.
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000 + Math.random() * 2000);
  });
}

if (lines.dataset.events) follow();
