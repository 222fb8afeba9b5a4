// The desktop in the browser: noVNC's RFB class, a toolbar around it, and honest words when the
// connection is not there. Tests read `data-state` on <html> and the canvas inside #screen.
import "./viewer/clipboard.js";
import { connect, loggedOut, removed, told } from "./viewer/connection.js";
import "./viewer/display.js";
import { housed } from "./viewer/home.js";
import "./viewer/keys.js";
import { limited, showLeft } from "./viewer/limits.js";
import { at, show } from "./viewer/page.js";
import { present } from "./viewer/people.js";
import { check, follow } from "./viewer/status.js";
import "./viewer/trouble.js";

const OFTEN_MS = 5000;

/** Says under Help that a newer image is there, and marks that button. */
function renewed(status) {
  at("update").hidden = !status.update;
  show(at("update"), status.update ?? "");
  at("help").classList.toggle("news", Boolean(status.update));
}

const tell = {
  status(status) {
    limited(status);
    housed(status);
    present(status.viewers);
    told(status);
    renewed(status);
  },
  removed,
  loginEnded: loggedOut,
};

follow(tell);
setInterval(() => {
  showLeft();
  check(tell);
}, OFTEN_MS);
connect();
