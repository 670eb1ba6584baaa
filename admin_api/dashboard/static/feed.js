// The latest events, newest first, as short sentences.

import { $, $$, h } from "./dom.js";
import { clock, full, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { className, eventWords, messageLink } from "./words.js";

const LONGEST = 30;
const QUIET = new Set(["outcome.barrier", "job.progress"]);

/** What an event's details add, in words. */
export function detailWords(event) {
  const { details = {}, source } = event;
  if (details.failure_class || details.code) return [className(details.failure_class ?? "unknown"), details.code].filter(Boolean).join(" · ");
  if (event.name === "lane.cleared") return tn("%(count)s message", "%(count)s messages", (details.queued ?? 0) + (details.failed ?? 0));
  if (event.name === "dead.purged") return tn("%(count)s message", "%(count)s messages", details.count ?? 0);
  if (event.name === "undo.done") return t("%(n)s back", { n: number(details.restored ?? 0) });
  if (event.name.startsWith("job.")) return details.done === undefined ? "" : t("%(done)s of %(all)s", { done: number(details.done), all: number(details.selected) });
  if (event.name.startsWith("audit.")) return [source, details.action].filter(Boolean).join(" · ");
  return event.name.startsWith("lane.") ? source : "";
}

/** Put an event in its place, once; `fresh` when it just happened. */
export function addEvent(feed, event, { fresh = true } = {}) {
  const key = `${event.at} ${event.name} ${event.message_id}`;
  if (QUIET.has(event.name) || $$("li", feed).some((line) => line.dataset.key === key)) return;
  $(".feed-empty", feed)?.remove();
  const [words, tone] = eventWords(event.name);
  const more = detailWords(event);
  const older = $$("li", feed).find((line) => Number(line.dataset.at) <= event.at) ?? null;
  feed.insertBefore(h("li", { class: fresh ? "fresh" : null, "data-tone": tone, "data-at": event.at, "data-key": key }, h("time", { datetime: new Date(event.at * 1000).toISOString(), title: full(event.at) }, clock(event.at)),
    h("div", {}, h("p", { class: "what" }, h("span", {}, words, event.message_id && [" ", messageLink(event.message_id)])),
      more && h("p", { class: "muted" }, more))), older);
  while (feed.children.length > LONGEST) feed.lastElementChild.remove();
}
