// Keeps the numbers as they are on the server. Everything here also works without it.
const every = Number(document.getElementById("live").dataset.every) * 1000;

async function refresh() {
  // Nobody looks: nothing is asked.
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  const old = document.getElementById("live");
  // Whoever reads a table, or is in the middle of it with the keyboard, is not disturbed.
  if (!fresh || old.contains(document.activeElement)) return;
  const open = [...old.querySelectorAll("details[open]")].map((one) => one.dataset.keep);
  const scrolled = [...old.querySelectorAll(".table")].map((one) => [one.scrollLeft, one.scrollTop]);
  for (const one of fresh.querySelectorAll("details")) one.open = open.includes(one.dataset.keep);
  old.replaceWith(document.adoptNode(fresh));
  [...fresh.querySelectorAll(".table")].forEach((one, nth) => {
    if (scrolled[nth]) [one.scrollLeft, one.scrollTop] = scrolled[nth];
  });
}

// A gateway that restarts is away for a moment; the next try finds it.
setInterval(() => refresh().catch(() => {}), every);
document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
