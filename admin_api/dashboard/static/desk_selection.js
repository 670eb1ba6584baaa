// Which dead letters are picked, and what can be done with them.

import { ask, post } from "./api.js";
import { openDialog, values } from "./dialog.js";
import { $, $$, h, say } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";
import { className } from "./words.js";

const letters = (count) => tn("%(count)s letter", "%(count)s letters", count);

/** `filter()` is the page's; `started(job)` and `changed()` are called after something was done. */
export function wireSelection({ filter, started, changed }) {
  let offered = [];
  let total = 0;
  let all = false;
  const picked = new Set();

  const chosen = () => (all ? { filter: filter() } : { ids: [...picked] });
  const count = () => (all ? total : picked.size);

  function show() {
    $("#selection").hidden = !count();
    say($("#selected-count"), all ? tn("The only match is selected", "All %(count)s that match are selected", total) : tn("%(count)s selected", "%(count)s selected", picked.size));
    const more = $("#select-all");
    more.hidden = all || total <= picked.size;
    say(more, t("Select all %(n)s that match", { n: number(total) }));
    for (const box of $$("#letters tbody .pick input")) {
      box.checked = all || picked.has(box.value);
      box.closest("tr").toggleAttribute("data-picked", box.checked);
    }
    const head = $("#letters thead input");
    if (head) head.checked = all || (offered.length > 0 && offered.every((letter) => picked.has(letter.message_id)));
  }

  function pick(id, on) {
    // One taken out of “all” leaves those on the page: what was not seen is never half selected.
    if (all) offered.forEach((letter) => picked.add(letter.message_id));
    all = false;
    if (on) picked.add(id);
    else picked.delete(id);
    show();
  }

  function forget() {
    all = false;
    picked.clear();
    show();
  }

  async function redrive() {
    const selected = chosen();
    const dryRun = post("/failed/redrive", { ...selected, dry_run: true });
    $("#redrive-groups").replaceChildren();
    say($("#redrive-count"), t("Counting …"));
    openDialog("redrive-dialog", async (form) => {
      const options = Object.fromEntries(Object.entries(values(form)).map(([name, value]) => [name, Number(value)]));
      const job = await post("/failed/redrive", { ...selected, dry_run: false, ...options });
      toast(t("The re-drive has begun."));
      forget();
      started(job);
    });
    try {
      drawDryRun(await dryRun);
    } catch (error) {
      say($("#redrive-count"), error.message);
    }
  }

  function remove() {
    const selected = chosen();
    say($("#delete-count"), letters(count()));
    openDialog("delete-dialog", async () => {
      const answer = await ask("DELETE", "/failed", { body: selected });
      forget();
      offerUndo(tn("%(count)s letter deleted.", "%(count)s letters deleted.", answer.purged), answer.purged ? answer.undo_id : null, changed);
      changed();
    });
  }

  $("#redrive").addEventListener("click", redrive);
  $("#delete").addEventListener("click", remove);
  $("#unselect").addEventListener("click", forget);
  $("#select-all").addEventListener("click", () => { all = true; show(); });

  return {
    forget,
    offer(items, matching) { offered = items; total = matching ?? items.length; queueMicrotask(show); },
    pickAll(on) { all = false; offered.forEach((letter) => (on ? picked.add(letter.message_id) : picked.delete(letter.message_id))); show(); },
    box: (letter) => h("input", { type: "checkbox", value: letter.message_id, "aria-label": t("Select %(what)s", { what: letter.phone_number || letter.message_id }), onchange: (event) => pick(letter.message_id, event.target.checked) }),
    mark: (line, letter) => line.toggleAttribute("data-picked", all || picked.has(letter.message_id)),
  };
}

function drawDryRun({ selected, unreadable, groups }) {
  say($("#redrive-count"), letters(selected));
  const rows = (groups ?? []).slice(0, 6).map((group) => h("li", {}, h("b", {}, number(group.count)), ` ${className(group.failure_class)} · ${group.code}${group.detail ? ` · ${group.detail}` : ""}`));
  $("#redrive-groups").replaceChildren(h("ul", {}, rows),
    unreadable ? h("p", { class: "note" }, tn("%(count)s of them cannot be read, and stays here.", "%(count)s of them cannot be read, and stay here.", unreadable)) : "");
}
