// Short news at the edge of the window, with an action if there is one.

import { $, h } from "./dom.js";
import { t } from "./i18n.js";

const SECONDS = 8;
const SECONDS_WITH_ACTION = 20;

/** Show news; `action` is {label, run}. It stays while the pointer or the focus is on it. */
export function toast(words, { bad = false, action } = {}) {
  const close = () => box.remove();
  const box = h("div", { class: bad ? "toast bad" : "toast" }, h("p", {}, words),
    action && h("button", { type: "button", onclick: () => { close(); action.run(); } }, action.label),
    h("button", { type: "button", "aria-label": t("Close"), onclick: close }, "×"));
  $("#toasts").append(box);
  let timer = 0;
  const wait = () => { timer = setTimeout(close, 1000 * (action ? SECONDS_WITH_ACTION : SECONDS)); };
  for (const begin of ["pointerenter", "focusin"]) box.addEventListener(begin, () => clearTimeout(timer));
  for (const end of ["pointerleave", "focusout"]) box.addEventListener(end, wait);
  wait();
}

/** Show what went wrong. */
export const complain = (error) => toast(error.message, { bad: true });
