// The two dialogs about many dead letters: putting them back, and deleting them.

import { ask, post } from "./api.js";
import { showDead } from "./badge.js";
import { causeTitle } from "./causes.js";
import { openDialog, values } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";
import { settle } from "./settle.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";

const letters = (count) => tn("%(count)s message", "%(count)s messages", count);

/** Ask how, and begin to put letters back; `started(job, options)` is called then. `selected` is {ids} or {filter}. */
export async function openRedrive(selected, started) {
  const form = $("#redrive-form");
  const skip = form.elements.skip_uncertain;
  const submit = settle($("button.strong", form));
  let counted = null;
  const show = () => say($("#redrive-count"), counted ? letters(counted.selected - (skip.checked ? counted.may_have_arrived : 0)) : t("Counting …"));
  $("#redrive-groups").replaceChildren();
  $("#redrive-doubt").hidden = true;
  skip.checked = false;
  skip.onchange = show;
  submit.disabled = true;
  show();
  openDialog("redrive-dialog", async () => {
    const { skip_uncertain: _, ...numbers } = values(form);
    const options = { ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])), skip_uncertain: skip.checked };
    const job = await post("/failed/redrive", { ...selected, dry_run: false, ...options });
    toast(t("The re-drive has begun."));
    started(job, options);
  });
  try {
    counted = await post("/failed/redrive", { ...selected, dry_run: true });
    drawDryRun(counted, skip);
    submit.disabled = false;
    show();
  } catch (error) {
    say($("#redrive-count"), error.message);
  }
}

function drawDryRun({ selected, unreadable, may_have_arrived: doubtful, groups }, skip) {
  const rows = families(groups ?? []).slice(0, 6).map((group) => h("li", {}, h("b", {}, number(group.count)), ` ${causeTitle(group.failure_class, group.code)}`));
  $("#redrive-groups").replaceChildren(h("ul", {}, rows),
    unreadable ? h("p", { class: "note" }, tn("%(count)s of them cannot be read, and stays here.", "%(count)s of them cannot be read, and stay here.", unreadable)) : "");
  $("#redrive-doubt").hidden = !doubtful;
  if (!doubtful) return;
  say($("#redrive-doubt-count"), t("%(n)s of %(all)s may have arrived.", { n: number(doubtful), all: number(selected) }));
  // The safe choice, except where nothing would be left to do.
  skip.checked = doubtful < selected;
}

/** Groups that differ in the provider's wording only, as one: {failure_class, code, count, oldest, newest, details}. */
export function families(groups) {
  const found = new Map();
  for (const group of groups) {
    const key = `${group.failure_class}/${group.code}`;
    const one = found.get(key) ?? { ...group, count: 0, details: [] };
    one.count += group.count;
    one.oldest = Math.min(one.oldest, group.oldest);
    one.newest = Math.max(one.newest, group.newest);
    one.details.push(group.detail);
    found.set(key, one);
  }
  return [...found.values()].sort((one, other) => other.count - one.count);
}

/** Ask, and delete letters; `deleted(answer)` is called then, `restored()` after an undo. */
export function openDelete(selected, count, deleted, restored) {
  say($("#delete-count"), letters(count));
  settle($("#delete-form button.bad"));
  openDialog("delete-dialog", async () => {
    const answer = await ask("DELETE", "/failed", { body: selected });
    fewerDead(answer.purged);
    offerUndo(tn("%(count)s message deleted.", "%(count)s messages deleted.", answer.purged), answer.purged ? answer.undo_id : null, restored);
    deleted(answer);
  });
}

/** The action knows how many are gone before any list does. */
export function fewerDead(count) {
  const badge = $("[data-dead]");
  if (badge && !badge.hidden && !badge.textContent.includes("+")) showDead(Math.max(0, Number(badge.textContent.replace(/\D/g, "")) - count));
}
