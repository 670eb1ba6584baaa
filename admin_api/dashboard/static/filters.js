// A form whose values live in the address of the page, so that a filter can be kept as a bookmark.

import { $, $$, h } from "./dom.js";
import { fromField, moment, toField } from "./format.js";
import { t } from "./i18n.js";

const TIMES = new Set(["since", "until"]);

export class Filters {
  /**
   * `names` are the fields, and those of the address that have no field; `changed(filter)` is called when they change.
   * `sort(values)` may move what was typed to other names; `folded` leaves a box of further fields closed.
   */
  constructor(form, names, changed, { sort = (values) => values, folded = false } = {}) {
    Object.assign(this, { form, names, changed, sort });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#go({ ...this.#hidden(), ...this.#fields() }); });
    form.querySelector("#reset").addEventListener("click", () => this.#go({}));
    addEventListener("popstate", () => this.#show());
    this.#fill();
    if (!folded) this.#unfold();
    if (folded) addEventListener("click", (event) => { const box = $("details", form); if (box && !box.contains(event.target)) box.open = false; });
  }

  /** Folded on a phone, unless something is filtered; always open where there is room. */
  #unfold() {
    const box = this.form.closest("details");
    const wide = matchMedia("(min-width: 47.01rem)");
    const fit = () => { box.open = wide.matches || Object.keys(this.filter).length > 0; };
    wide.addEventListener("change", fit);
    fit();
  }

  /** What is asked for, as the API wants it. */
  get filter() {
    const words = new URLSearchParams(location.search);
    return Object.fromEntries(this.names.filter((name) => words.get(name)).map((name) => [name, TIMES.has(name) ? Number(words.get(name)) : words.get(name)]));
  }

  /** Ask for something else. */
  set(values) {
    this.#go({ ...this.filter, ...values });
  }

  /** Chips that say what is filtered, each with a button that takes it away. */
  chips(words) {
    return Object.entries(this.filter).map(([name, value]) => h("span", { class: "chip" }, `${label(this.form, name)}: ${TIMES.has(name) ? moment(value) : words?.(name, value) ?? value}`,
      h("button", { type: "button", "aria-label": t("Remove the filter %(name)s", { name: label(this.form, name) }), onclick: () => this.set({ [name]: "" }) }, "×")));
  }

  #fields() {
    const fields = new FormData(this.form);
    return this.sort(Object.fromEntries([...fields].map(([name, value]) => [name, TIMES.has(name) ? fromField(value) : value.trim()])));
  }

  #hidden() {
    return Object.fromEntries(Object.entries(this.filter).filter(([name]) => !this.form.elements[name]));
  }

  #go(values) {
    const words = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));
    history.pushState(null, "", words.size ? `?${words}` : location.pathname);
    this.#show();
  }

  #show() {
    const box = $("details.find-more", this.form);
    if (box) box.open = false;
    this.#fill();
    this.changed(this.filter);
  }

  #fill() {
    const filter = this.filter;
    for (const field of $$("[name]", this.form)) {
      const value = filter[field.name] ?? (field.type === "search" ? filter.text : undefined) ?? "";
      if (field.tagName === "SELECT" && value && ![...field.options].some((option) => option.value === value)) field.append(h("option", { value }, value));
      field.value = TIMES.has(field.name) && value !== "" ? toField(value) : value;
    }
  }
}

const label = (form, name) => form.elements[name]?.dataset.chip ?? form.elements[name]?.closest("label")?.querySelector("span")?.textContent ?? { detail: t("Provider’s message"), lane: t("Lane"), text: t("Text") }[name] ?? name;
