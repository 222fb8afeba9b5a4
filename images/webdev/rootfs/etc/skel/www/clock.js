// Shows the time and keeps it right.
const clock = document.getElementById("now");

function show() {
  clock.textContent = new Date().toLocaleTimeString();
}

show();
setInterval(show, 1000);
