// The list of dead letters: a table where there is room, two lines for each letter on a phone.

import { causeDetail, causeTitle } from "./causes.js";
import { h, table } from "./dom.js";
import { ago, full, number, phone } from "./format.js";
import { t } from "./i18n.js";
import { messageLink, priorityTag } from "./words.js";

/** The table; `driven` has the ids of those that are being put back. */
export function letterTable(letters, { selection, driven }) {
  const all = h("input", { type: "checkbox", "aria-label": t("Select all on this page"), onchange: (event) => selection.pickAll(event.target.checked) });
  const hasText = letters.some((letter) => letter.message);
  const columns = [
    { head: all, label: "", class: "pick", cell: (letter) => selection.box(letter) },
    { label: t("Number"), class: "who", cell: (letter) => who(letter, driven) },
    { label: t("Cause"), class: "cause-cell", cell: cause },
    hasText && { label: t("Text"), class: "text", cell: (letter) => letter.message && h("span", { class: "clip" }, letter.message) },
    { label: t("Priority"), class: "priority-cell", cell: (letter) => priorityTag(letter.priority) },
    { label: t("Source"), class: "source", cell: (letter) => letter.source },
    { label: t("Attempts"), class: "number attempts", cell: (letter) => number(letter.attempts) },
    { label: t("Given up"), class: "age", cell: (letter) => h("time", { datetime: new Date(letter.died_at * 1000).toISOString(), title: full(letter.died_at), "data-ago": letter.died_at }, ago(letter.died_at)) },
  ].filter(Boolean);
  const made = table(t("Dead letters"), columns, letters, (line, letter) => {
    line.dataset.id = letter.message_id;
    selection.mark(line, letter);
  });
  made.className = "table letters";
  return made;
}

function who(letter, driven) {
  return h("div", { class: "who-line" }, messageLink(letter.message_id, phone(letter.phone_number) || t("unreadable"), "desk"),
    driven.has(letter.message_id) ? h("span", { class: "tag", "data-tone": "good" }, t("being re-driven"))
      : letter.may_have_arrived && h("span", { class: "tag", "data-tone": "wait" }, t("may have arrived")));
}

function cause(letter) {
  const said = causeDetail(letter.problem || letter.detail);
  const isRead = !letter.problem || letter.failure_class !== "unknown";
  return [
    h("span", { class: "why-title" }, isRead ? causeTitle(letter.failure_class, letter.code) : t("The message cannot be read")),
    said && h("span", { class: "why-detail" }, said),
    letter.note && h("span", { class: "note-line" }, `✎ ${letter.note}`),
  ];
}
