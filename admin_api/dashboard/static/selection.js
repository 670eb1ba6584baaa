// Which rows of a list are picked: some of them, or all that match the page's filter.

import { $, $$, h, say } from "./dom.js";
import { number, phone } from "./format.js";
import { t, tn } from "./i18n.js";

export class Selection {
  #list;
  #shown;
  #offered = [];
  #total = 0;
  #picked = new Set();

  /** `list` is the table's place; `shown(count)` is called whenever the selection was drawn. */
  constructor(list, shown = () => {}) {
    this.#list = list;
    this.#shown = shown;
    this.isAll = false;
  }

  get count() { return this.isAll ? this.#total : this.#picked.size; }
  get ids() { return [...this.#picked]; }
  get offered() { return this.#offered; }

  has(id) { return this.isAll || this.#picked.has(id); }

  pick(id, on) {
    // One taken out of “all” leaves those on the page: what was not seen is never half selected.
    if (this.isAll) this.#offered.forEach((item) => this.#picked.add(item.message_id));
    this.isAll = false;
    this.#set(id, on);
    this.show();
  }

  pickAll(on) {
    this.isAll = false;
    this.#offered.forEach((item) => this.#set(item.message_id, on));
    this.show();
  }

  /** Pick all that match, those on other pages too. */
  pickMatching() {
    this.isAll = true;
    this.show();
  }

  forget() {
    this.isAll = false;
    this.#picked.clear();
    this.show();
  }

  /** What the list shows now; with `isWhole`, what is not among it is picked no more. */
  offer(items, { isWhole = false } = {}) {
    this.#offered = items;
    const there = new Set(items.map((item) => item.message_id));
    if (isWhole) this.ids.filter((id) => !there.has(id)).forEach((id) => this.#picked.delete(id));
    queueMicrotask(() => this.show());
  }

  /** How many match the page's filter. */
  match(total) {
    this.#total = total;
    this.show();
  }

  /** It is not in the list any more, so it cannot be picked. */
  drop(id) {
    this.#offered = this.#offered.filter((item) => item.message_id !== id);
    this.#picked.delete(id);
    const box = this.#boxes().find((one) => one.value === id);
    if (box) box.disabled = true;
    this.show();
  }

  show() {
    const picked = this.#picked.size;
    $("#selection").hidden = !this.count;
    say($("#selected-count"), this.isAll ? tn("The only match is selected", "All %(count)s that match are selected", this.#total) : tn("%(count)s selected", "%(count)s selected", picked));
    const more = $("#select-all");
    more.hidden = this.isAll || this.#total <= picked;
    say(more, t("Select all %(n)s that match", { n: number(this.#total) }));
    for (const box of this.#boxes()) {
      box.checked = !box.disabled && this.has(box.value);
      box.closest("tr").toggleAttribute("data-picked", box.checked);
    }
    const head = $("thead input", this.#list);
    if (head) head.checked = this.isAll || (this.#offered.length > 0 && this.#offered.every((item) => this.#picked.has(item.message_id)));
    this.#shown(this.count);
  }

  box(item) {
    const what = phone(item.phone_number) || item.message_id;
    return h("input", { type: "checkbox", value: item.message_id, "aria-label": t("Select %(what)s", { what }), onchange: (event) => this.pick(item.message_id, event.target.checked) });
  }

  mark(line, item) { line.toggleAttribute("data-picked", this.has(item.message_id)); }

  #boxes() { return $$("tbody .pick input", this.#list); }

  #set(id, on) {
    if (on) this.#picked.add(id);
    else this.#picked.delete(id);
  }
}
