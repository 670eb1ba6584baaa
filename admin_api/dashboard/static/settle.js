// Buttons that appear where something else has just been pressed: for a moment they do nothing.

const SECONDS = 1;

/** Have a button ignore presses at first; it says so to those who cannot see it, too. */
export function settle(button, seconds = SECONDS) {
  const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  button.addEventListener("click", swallow, { capture: true });
  button.setAttribute("aria-disabled", "true");
  setTimeout(() => {
    button.removeEventListener("click", swallow, { capture: true });
    button.removeAttribute("aria-disabled");
  }, 1000 * seconds);
  return button;
}
