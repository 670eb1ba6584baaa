// What can be done about one message.

import { onPress } from "./action.js";
import { post } from "./api.js";
import { openDialog, values } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { phone } from "./format.js";
import { t } from "./i18n.js";
import { openDelete } from "./letter_dialogs.js";
import { showNumber } from "./number_field.js";
import { settle } from "./settle.js";
import { complain, toast } from "./toast.js";
import { messageHref, priorityKey } from "./words.js";

const CANCELLABLE = new Set(["waiting", "held", "retrying", "scheduled"]);
const button = (words, run, role, kind = "") => onPress(h("button", { type: "button", class: `button ${kind}`, "data-role": role }, words), run);
/** What takes something away stands apart, and does nothing in the first second: there may have been another button. */
const destructive = (words, run, role) => settle(button(words, run, role, "danger apart"));
const follow = (id) => ({ action: { label: t("Follow it"), run: () => location.assign(messageHref(id)) } });

/**
 * The buttons that fit its state; null when there are none. `changed(what)` is called after something was done, and
 * returns when the page shows it: until then the button stays busy.
 */
export function actionsFor({ one, letter, isCancelling, changed }) {
  const buttons = letter ? deskButtons(letter, changed) : CANCELLABLE.has(one.state) ? [cancelButton(one, isCancelling, changed)] : [];
  return buttons.length ? h("div", {}, h("div", { class: "acts" }, buttons), h("p", { class: "hint", id: "denied", hidden: true })) : null;
}

function deskButtons(letter, changed) {
  const path = `/failed/${encodeURIComponent(letter.message_id)}`;
  const again = async () => {
    await post(`${path}/redrive`, {});
    toast(t("It is back in the queue."));
    await changed("redriven");
  };
  return [
    !letter.problem && button(letter.may_have_arrived ? t("Re-drive …") : t("Re-drive"), () => (letter.may_have_arrived ? askFirst(letter, again) : again()), "operator", "strong"),
    button(t("Edit and re-drive …"), () => edit(letter, path), "operator"),
    destructive(t("Delete …"), () => remove(letter, changed), "admin"),
  ].filter(Boolean);
}

/** The person may get it twice: that is said before, and not after. */
function askFirst(letter, again) {
  say($("#again-number"), phone(letter.phone_number));
  settle($("#again-form button.strong"));
  openDialog("again-dialog", again);
}

function cancelButton(one, isCancelling, changed) {
  return isCancelling
    ? button(t("Do not cancel it"), () => uncancel(one, changed), "operator")
    : destructive(t("Cancel this message …"), () => cancel(one, changed), "operator");
}

function cancel(one, changed) {
  say($("#cancel-number"), phone(one.phone_number));
  settle($("#cancel-form button.bad"));
  openDialog("cancel-dialog", async () => {
    await post(`/messages/${encodeURIComponent(one.message_id)}/cancel`);
    toast(t("Cancellation requested: it will not be sent."), { action: { label: t("Undo"), run: () => uncancel(one, changed).catch(complain) } });
    await changed("cancelling");
  });
}

async function uncancel(one, changed) {
  await post(`/messages/${encodeURIComponent(one.message_id)}/uncancel`);
  toast(t("It will be sent after all."));
  await changed("uncancelled");
}

/** The form of the edited copy: only what was changed is sent, so that a masked number stays what it is. */
function edit(letter, path) {
  const form = $("#edit-form");
  const masked = (letter.phone_number ?? "").includes("•");
  const before = { phone_number: masked ? "" : letter.phone_number ?? "", message: letter.message ?? "", priority: priorityKey(letter.priority) };
  for (const [name, value] of Object.entries(before)) form.elements[name].value = value;
  form.elements.phone_number.placeholder = masked ? letter.phone_number : "";
  $("#keep-number").hidden = !masked;
  // What is empty is not sent, so that the old text would go out where it was deleted here.
  form.elements.phone_number.required = before.phone_number !== "";
  form.elements.message.required = before.message !== "";
  showNumber(form.elements.phone_number);
  $("#edit-doubt").hidden = !letter.may_have_arrived;
  openDialog("edit-dialog", async () => {
    const changes = Object.fromEntries(Object.entries(values(form)).filter(([name, value]) => value !== before[name]));
    if (!Object.keys(changes).length) throw new Error(t("Nothing is changed yet. To send it as it is, use “Re-drive”."));
    const { message_id: id } = await post(`${path}/redrive`, changes);
    toast(t("The edited copy waits in the queue."), follow(id));
    location.assign(messageHref(id));
  });
}

function remove(letter, changed) {
  openDelete({ ids: [letter.message_id] }, 1, () => changed("deleted"), () => changed("restored"));
}

/** A note for the person who looks next. */
export function noteForm(letter, changed) {
  const save = async (event) => {
    event.preventDefault();
    const submit = $("button", event.target);
    if (submit.disabled) return;
    submit.disabled = true;
    try {
      await post(`/failed/${encodeURIComponent(letter.message_id)}/note`, { note: event.target.elements.note.value.trim() });
      toast(t("The note is saved."));
      await changed("noted");
    } catch (error) {
      complain(error);
    }
    submit.disabled = false;
  };
  return h("section", { class: "card" }, h("form", { class: "door-form", onsubmit: save },
    h("label", { class: "field" }, h("span", {}, t("Note for your colleagues")), h("textarea", { name: "note", rows: 3, maxlength: 1000 }, letter.note ?? "")),
    h("p", {}, h("button", { class: "button small", "data-role": "operator" }, t("Save the note")))));
}
