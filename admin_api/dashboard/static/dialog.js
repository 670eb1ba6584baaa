// Dialogs: the browser's own, with a form inside. Focus goes back to where it was.

import { $, $$ } from "./dom.js";

/** What ends the listeners of a dialog's latest opening. */
const openings = new WeakMap();

/** Open a dialog whose form calls `submit(form)`; it closes when that returns, and shows the error when it throws. */
export function openDialog(id, submit) {
  const dialog = document.getElementById(id);
  const form = $("form", dialog);
  const opener = document.activeElement;
  openings.get(dialog)?.abort();
  const opening = new AbortController();
  const { signal } = opening;
  openings.set(dialog, opening);
  showError(form, "");
  const send = async (event) => {
    event.preventDefault();
    const buttons = $$("button:not([data-close])", form);
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await submit(form);
      // Closed by hand meanwhile, it may have been opened again for something else.
      if (!signal.aborted) dialog.close();
    } catch (error) {
      showError(form, error.message);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  };
  form.addEventListener("submit", send, { signal });
  $$("[data-close]", form).forEach((button) => button.addEventListener("click", () => dialog.close(), { signal }));
  dialog.addEventListener("close", () => {
    // The browser tells of a closing a moment later: by then it may be open again.
    if (dialog.open) return;
    opening.abort();
    opener?.focus?.();
  }, { signal });
  dialog.showModal();
  return dialog;
}

function showError(form, words) {
  const place = $(".form-error", form);
  if (!place) return;
  place.hidden = !words;
  place.textContent = words;
}

/** The values of a form's fields by name, without empty ones. */
export const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
