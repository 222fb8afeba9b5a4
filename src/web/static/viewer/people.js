// Who is here: everybody who sees this desktop. Nobody can watch unseen, so the strip that says it
// is no part of the toolbar and cannot be closed or folded away.
import { at, role, root, say, show } from "./page.js";

const roles = {
  owner: () => say("role-owner"),
  helper: () => say("role-helper"),
  observer: () => say("role-observer"),
};

/** The server's word on who is here. */
export function present(viewers) {
  if (!Array.isArray(viewers)) return;
  at("people").hidden = viewers.length === 0;
  show(at("people-count"), String(viewers.length));
  at("people").setAttribute("aria-label", say("count", { count: viewers.length }));
  list(viewers);
  mark(viewers);
}

function list(viewers) {
  const text = (viewer) => {
    const name = viewer.you ? say("you", { name: viewer.name }) : viewer.name;
    return [name, roles[viewer.role]?.() ?? viewer.role, since(viewer.since)];
  };
  const items = viewers.map((viewer) => {
    const item = document.createElement("li");
    const [name, what, when] = text(viewer);
    item.append(Object.assign(document.createElement("bdi"), { textContent: name }));
    item.append(Object.assign(document.createElement("small"), { textContent: [what, when].filter(Boolean).join(", ") }));
    return item;
  });
  if (viewers.every((viewer) => viewer.you)) {
    items.push(Object.assign(document.createElement("li"), { className: "muted", textContent: say("nobody") }));
  }
  at("people-list").replaceChildren(...items);
}

function since(moment) {
  const date = new Date(moment);
  if (!moment || Number.isNaN(date.getTime())) return null;
  const clock = new Intl.DateTimeFormat(root.lang, { hour: "numeric", minute: "2-digit" }).format(date);
  return say("since", { time: clock });
}

/** The owner is told of everybody else, whatever else is on the screen. */
function mark(viewers) {
  const others = viewers.filter((viewer) => !viewer.you && viewer.role !== "owner");
  const named = (kind) => [...new Set(others.filter((viewer) => viewer.role === kind).map((viewer) => viewer.name))];
  const sentence = (people, one, many) => {
    if (people.length === 0) return null;
    const names = new Intl.ListFormat(root.lang, { type: "conjunction" }).format(people);
    return people.length === 1 ? one({ names }) : many({ names });
  };
  const texts = [
    sentence(named("observer"), (args) => say("watching-one", args), (args) => say("watching-many", args)),
    sentence(named("helper"), (args) => say("helping-one", args), (args) => say("helping-many", args)),
  ].filter(Boolean);
  at("watched").hidden = role !== "owner" || texts.length === 0;
  show(at("watched"), texts.join(" · "));
}
