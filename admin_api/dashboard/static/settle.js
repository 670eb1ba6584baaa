// Buttons that appear where something else has just been pressed: for a moment they do nothing.

const SECONDS = 1;
const timers = new WeakMap();

const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };

/** Have a button ignore presses at first; it says so to those who cannot see it, too. Called again, it begins anew. */
export function settle(button, seconds = SECONDS) {
  clearTimeout(timers.get(button));
  button.addEventListener("click", swallow, { capture: true });
  button.setAttribute("aria-disabled", "true");
  timers.set(button, setTimeout(() => {
    button.removeEventListener("click", swallow, { capture: true });
    button.removeAttribute("aria-disabled");
  }, 1000 * seconds));
  return button;
}
