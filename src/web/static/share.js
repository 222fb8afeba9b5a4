// The button that copies a link. Without it the link stands there to be selected.
const link = document.getElementById("invite-url");
const button = document.getElementById("invite-copy");
const note = document.getElementById("invite-note");

if (link && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link.value);
      note.textContent = note.dataset.words;
    } catch {
      // Not allowed: the person copies what is selected now.
      link.select();
    }
  });
}
link?.addEventListener("focus", () => link.select());
