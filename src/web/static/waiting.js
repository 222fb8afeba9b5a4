// Follows a start: where it is, how long it has taken, and the page itself once it is over.
const wait = document.getElementById("wait");
const sentence = document.getElementById("sentence");
const elapsed = document.getElementById("elapsed");
const line = document.getElementById("line");
const began = Date.now() - Number(wait.dataset.elapsedS) * 1000;

// This address only shows the session. Loading the present one again could wake it, and somebody
// may just have cancelled the start. Whoever asked for the whole screen still does.
const onward = () => location.replace(wait.dataset.rest + location.hash);

function clock() {
  if (!elapsed) return;
  const seconds = Math.max(0, Math.floor((Date.now() - began) / 1000));
  const minutes = Math.floor(seconds / 60);
  elapsed.textContent = minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function show(status) {
  if (status.page !== "waiting") return onward();
  if (sentence.textContent !== status.sentence) sentence.textContent = status.sentence;
  if (line) line.textContent = status.line ?? "";
  let seen = false;
  for (const step of document.querySelectorAll(".steps li")) {
    const now = step.dataset.phase === status.phase;
    seen ||= now;
    step.className = now ? "now" : seen ? "later" : "done";
    if (now) step.setAttribute("aria-current", "step"); else step.removeAttribute("aria-current");
  }
}

function follow() {
  const stream = new EventSource(wait.dataset.events);
  stream.addEventListener("status", (event) => show(JSON.parse(event.data)));
  for (const over of ["removed", "reload", "login_ended"]) {
    stream.addEventListener(over, onward);
  }
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(onward, 3000 + Math.random() * 2000);
  });
}

clock();
setInterval(clock, 1000);
follow();
