// Which dead letters are picked.

import { onPress } from "./action.js";
import { $, $$, h, say } from "./dom.js";
import { number, phone } from "./format.js";
import { t, tn } from "./i18n.js";

/** `redrive(selected)` and `remove(selected, count)` are called for what is picked; `filter()` is the page's. */
export function wireSelection({ filter, redrive, remove }) {
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

  onPress($("#redrive"), () => redrive(chosen()));
  onPress($("#delete"), () => remove(chosen(), count()));
  onPress($("#unselect"), forget);
  onPress($("#select-all"), () => { all = true; show(); });

  return {
    forget,
    /** What the list shows now; picked letters that are gone are picked no more. */
    offer(items, matching, isWhole) {
      offered = items;
      total = matching ?? items.length;
      const there = new Set(items.map((letter) => letter.message_id));
      if (isWhole) [...picked].filter((id) => !there.has(id)).forEach((id) => picked.delete(id));
      queueMicrotask(show);
    },
    pickAll(on) { all = false; offered.forEach((letter) => (on ? picked.add(letter.message_id) : picked.delete(letter.message_id))); show(); },
    box: (letter) => h("input", { type: "checkbox", value: letter.message_id, "aria-label": t("Select %(what)s", { what: phone(letter.phone_number) || letter.message_id }), onchange: (event) => pick(letter.message_id, event.target.checked) }),
    mark: (line, letter) => line.toggleAttribute("data-picked", all || picked.has(letter.message_id)),
  };
}
