// Keeps the rows as they are on the server. Everything here also works without it.
const rows = document.getElementById("images");

function show(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.querySelector("tr");
  const old = fresh && document.getElementById(fresh.id);
  if (!old) return;
  // The keyboard stays where it was.
  const key = old.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  old.replaceWith(fresh);
  if (key) fresh.querySelector(`[data-key="${key}"]`)?.focus();
}

function follow() {
  const stream = new EventSource(rows.dataset.events);
  stream.addEventListener("image", (event) => show(event.data));
  for (const end of ["reload", "login_ended"]) stream.addEventListener(end, () => location.reload());
  stream.addEventListener("error", () => {
    // The browser gives up for good on an answer that is no stream: the login may have ended.
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000 + Math.random() * 2000);
  });
}

// One press is one request.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; });
});
follow();
