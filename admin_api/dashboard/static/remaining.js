// “in 3 h 12 min”: what is left until a time, kept up to date while it is shown.

import { $$, h, say } from "./dom.js";
import { ago, full } from "./format.js";
import { t } from "./i18n.js";

const EVERY = 1000;
let timer = 0;

const words = (until) => (until > Date.now() / 1000 ? ago(until) : t("now"));

/** What is left until then; a word in a line of text. */
export function remaining(until) {
  timer ||= setInterval(() => { for (const one of $$("[data-until]")) say(one, words(Number(one.dataset.until))); }, EVERY);
  return h("time", { class: "remaining", datetime: new Date(until * 1000).toISOString(), "data-until": until, title: full(until) }, words(until));
}
