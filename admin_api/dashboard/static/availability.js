// What cannot be done now, and why: a button says so instead of failing, and keeps the focus.

import { $$ } from "./dom.js";
import { toast } from "./toast.js";

//: Buttons that act have a role; what is only read or downloaded needs no broker.
const ACTIONS = "button[data-role]:not([data-export], :disabled)";
let reason = "";

/** Why nothing can be done at the moment; empty when it can. */
export const whyNot = () => reason;

/** Nothing that acts can be pressed, for this reason. */
export function hold(why) {
  reason = why;
  for (const button of $$(ACTIONS)) if (!button.dataset.heldWhy) block(button, why, "heldWhy");
}

/** All of it can be pressed again. */
export function release() {
  if (!reason) return;
  reason = "";
  for (const button of $$("[data-held-why]")) block(button, "", "heldWhy");
}

/** Let one button not be pressed, for a reason of its own; an empty one ends that. */
export function block(button, why, name = "why") {
  if ((button.dataset[name] ?? "") === why) return;
  if (why) button.dataset[name] = why;
  else delete button.dataset[name];
  const left = whyBlocked(button);
  for (const [attribute, value] of [["aria-disabled", "true"], ["title", left]]) {
    if (left) button.setAttribute(attribute, value);
    else button.removeAttribute(attribute);
  }
}

/** Why a button cannot be pressed; empty when it can. */
export const whyBlocked = (button) => button.dataset.heldWhy ?? button.dataset.why ?? "";

/** Catch presses of what cannot be pressed, before they reach anything, and say why. */
export function guard() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    const why = button && (whyBlocked(button) || (button.matches(ACTIONS) ? reason : ""));
    if (!why || button.disabled) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    toast(why, { bad: true });
  }, { capture: true });
}
