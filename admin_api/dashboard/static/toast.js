// Short news at the edge of the window, with an action if there is one.

import { $, $$, h, say } from "./dom.js";
import { capital, t } from "./i18n.js";

const SECONDS = 8;
const SECONDS_WITH_ACTION = 20;
const MOST = 3;
const MOST_ON_A_PHONE = 2;
const phone = matchMedia("(max-width: 47rem)");

/** Timers of the toasts that are shown, so that one which is told again stays. */
const timers = new WeakMap();

/** Show news; `action` is {label, run}. It stays while the pointer or the focus is on it. */
export function toast(words, { bad = false, action } = {}) {
  const text = bad ? capital(words) : words;
  const same = action ? null : $$("#toasts .toast").find((one) => one.dataset.words === text && one.classList.contains("bad") === bad);
  if (same) return again(same);
  const close = () => box.remove();
  const box = h("div", { class: bad ? "toast bad" : "toast", "data-words": action ? null : text, "data-times": "1", "data-kept": Boolean(action) },
    h("p", {}, text, " ", h("b", { class: "toast-times" })),
    action && h("button", { type: "button", onclick: () => { close(); action.run(); } }, action.label),
    h("button", { type: "button", class: "toast-close", "aria-label": t("Close"), onclick: close }, "×"));
  const wait = () => { clearTimeout(timers.get(box)); timers.set(box, setTimeout(close, 1000 * (action ? SECONDS_WITH_ACTION : SECONDS))); };
  for (const begin of ["pointerenter", "focusin"]) box.addEventListener(begin, () => clearTimeout(timers.get(box)));
  for (const end of ["pointerleave", "focusout"]) box.addEventListener(end, wait);
  box.addEventListener("told-again", wait);
  $("#toasts").append(box);
  wait();
  makeRoom();
  return undefined;
}

function again(box) {
  box.dataset.times = String(Number(box.dataset.times) + 1);
  say($(".toast-times", box), `×${box.dataset.times}`);
  box.dispatchEvent(new Event("told-again"));
}

/** The oldest go first, but not those that offer to take something back. */
function makeRoom() {
  const shown = $$("#toasts .toast");
  const order = [...shown.filter((box) => !("kept" in box.dataset)), ...shown.filter((box) => "kept" in box.dataset)];
  order.slice(0, Math.max(0, shown.length - (phone.matches ? MOST_ON_A_PHONE : MOST))).forEach((box) => box.remove());
}

/** Show what went wrong. */
export const complain = (error) => toast(error.message, { bad: true });
