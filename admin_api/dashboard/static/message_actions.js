// What can be done about one message.

import { ask, post } from "./api.js";
import { openDialog, values } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { t, tn } from "./i18n.js";
import { showNumber } from "./number_field.js";
import { complain, toast } from "./toast.js";
import { offerUndo } from "./undo.js";
import { messageHref, priorityKey } from "./words.js";

const CANCELLABLE = new Set(["waiting", "retrying", "scheduled"]);
const button = (words, run, role, kind = "") => h("button", { type: "button", class: `button ${kind}`, "data-role": role, onclick: run }, words);
const follow = (id) => ({ action: { label: t("Follow it"), run: () => location.assign(messageHref(id)) } });

/** The buttons that fit its state; null when there are none. */
export function actionsFor({ one, letter, changed }) {
  const buttons = letter ? deskButtons(letter, changed) : CANCELLABLE.has(one.state) ? [button(t("Cancel this message"), () => cancel(one, changed), "operator", "danger")] : [];
  return buttons.length ? h("div", {}, h("div", { class: "acts" }, buttons), h("p", { class: "hint", id: "denied", hidden: true })) : null;
}

function deskButtons(letter, changed) {
  const path = `/failed/${encodeURIComponent(letter.message_id)}`;
  const again = () => post(`${path}/redrive`, {}).then(() => { toast(t("It is back in its lane.")); changed(); }, complain);
  return [
    !letter.problem && button(t("Re-drive"), again, "operator", "strong"),
    button(t("Edit and re-drive …"), () => edit(letter, path), "operator"),
    button(t("Delete …"), () => remove(letter, changed), "admin", "danger"),
  ].filter(Boolean);
}

function cancel(one, changed) {
  post(`/messages/${encodeURIComponent(one.message_id)}/cancel`).then(() => { toast(t("It will not be sent.")); changed(); }, complain);
}

/** The form of the edited copy: only what was changed is sent, so that a masked number stays what it is. */
function edit(letter, path) {
  const form = $("#edit-form");
  const masked = (letter.phone_number ?? "").includes("•");
  const before = { phone_number: masked ? "" : letter.phone_number ?? "", message: letter.message ?? "", priority: priorityKey(letter.priority) };
  for (const [name, value] of Object.entries(before)) form.elements[name].value = value;
  form.elements.phone_number.placeholder = masked ? letter.phone_number : "";
  $("#keep-number").hidden = !masked;
  showNumber(form.elements.phone_number);
  openDialog("edit-dialog", async () => {
    const changes = Object.fromEntries(Object.entries(values(form)).filter(([name, value]) => value !== before[name]));
    if (!Object.keys(changes).length) throw new Error(t("Nothing is changed yet. To send it as it is, use “Re-drive”."));
    const { message_id: id } = await post(`${path}/redrive`, changes);
    toast(t("The edited copy waits in the queue."), follow(id));
    location.assign(messageHref(id));
  });
}

function remove(letter, changed) {
  say($("#delete-count"), tn("%(count)s letter", "%(count)s letters", 1));
  openDialog("delete-dialog", async () => {
    const answer = await ask("DELETE", "/failed", { body: { ids: [letter.message_id] } });
    offerUndo(tn("%(count)s letter deleted.", "%(count)s letters deleted.", answer.purged), answer.purged ? answer.undo_id : null, changed);
    changed();
  });
}

/** A note for whoever looks next. */
export function noteForm(letter, changed) {
  const save = (event) => {
    event.preventDefault();
    const note = event.target.elements.note.value.trim();
    post(`/failed/${encodeURIComponent(letter.message_id)}/note`, { note }).then(() => { toast(t("The note is saved.")); changed(); }, complain);
  };
  return h("section", { class: "card" }, h("form", { class: "door-form", onsubmit: save },
    h("label", { class: "field" }, h("span", {}, t("Note for whoever looks next")), h("textarea", { name: "note", rows: 3, maxlength: 1000 }, letter.note ?? "")),
    h("p", {}, h("button", { class: "button small", "data-role": "operator" }, t("Save the note")))));
}
