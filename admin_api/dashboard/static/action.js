// Buttons that cannot be pressed twice: a press counts for nothing while what the last one began is not over.

import { whyBlocked } from "./availability.js";
import { complain } from "./toast.js";

/**
 * Have `run(event)` called by presses of a button, one at a time; what it throws is shown.
 *
 * `rest` is for how many milliseconds afterwards presses count for nothing either: impatient ones come late.
 */
export function onPress(button, run, { rest = 0 } = {}) {
  let restUntil = 0;
  button.addEventListener("click", async (event) => {
    if (button.disabled || isBusy(button) || performance.now() < restUntil) return;
    setBusy(button, true);
    try {
      await run(event);
    } catch (error) {
      complain(error);
    } finally {
      restUntil = performance.now() + rest;
      setBusy(button, false);
    }
  });
  return button;
}

/** Whether what the button began is not over yet. */
export const isBusy = (button) => button.getAttribute("aria-busy") === "true";

/** Not `disabled`, which would throw the focus away. */
function setBusy(button, busy) {
  if (busy) {
    button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
  } else {
    button.removeAttribute("aria-busy");
    if (!whyBlocked(button)) button.removeAttribute("aria-disabled");
  }
}
