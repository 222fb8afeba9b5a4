// How full the owner's files are: a line under Help, and a strip when there is no room left.
import { at, show } from "./page.js";

/** The server's word on the home; nothing for everybody else. */
export function housed(status) {
  const home = status.home;
  at("home-line").hidden = !home;
  at("home-full").hidden = !home?.warning;
  if (!home) return;
  show(at("home-line"), home.line);
  if (home.warning) show(at("home-full"), home.warning);
}
