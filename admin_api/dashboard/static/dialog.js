// Dialogs: the browser's own, with a form inside. Focus goes back to where it was.

import { $, $$ } from "./dom.js";

/** Open a dialog whose form calls `submit(form)`; it closes when that returns, and shows the error when it throws. */
export function openDialog(id, submit) {
  const dialog = document.getElementById(id);
  const form = $("form", dialog);
  const opener = document.activeElement;
  showError(form, "");
  const send = async (event) => {
    event.preventDefault();
    const buttons = $$("button:not([data-close])", form);
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await submit(form);
      dialog.close();
    } catch (error) {
      showError(form, error.message);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  };
  const close = () => dialog.close();
  form.addEventListener("submit", send);
  $$("[data-close]", form).forEach((button) => button.addEventListener("click", close));
  dialog.addEventListener("close", () => {
    form.removeEventListener("submit", send);
    $$("[data-close]", form).forEach((button) => button.removeEventListener("click", close));
    opener?.focus?.();
  }, { once: true });
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
