// Dialogs: the browser's own, with a form inside. Focus goes back to where it was.

import { whyNot } from "./availability.js";
import { $, $$, h } from "./dom.js";
import { capital } from "./i18n.js";

const ERROR = "-error";

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
  showError(form, null);
  const send = async (event) => {
    event.preventDefault();
    if (whyNot()) {
      showError(form, new Error(whyNot()));
      return;
    }
    showError(form, null);
    const buttons = $$("button:not([data-close])", form);
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await submit(form);
      // Closed by hand meanwhile, it may have been opened again for something else.
      if (!signal.aborted) dialog.close();
    } catch (error) {
      showError(form, error);
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
    // A menu closes behind what was chosen in it.
    const closed = opener?.closest?.("details:not([open])");
    (closed ? $("summary", closed) : opener)?.focus?.();
  }, { signal });
  dialog.showModal();
  return dialog;
}

/** Show an error, each part of it beside the field that it is about; null takes it away. */
function showError(form, error) {
  $$(".field-error", form).forEach((place) => place.remove());
  for (const field of $$("[data-refused]", form)) {
    delete field.dataset.refused;
    field.removeAttribute("aria-invalid");
    describe(field, field.getAttribute("aria-describedby").split(" ").filter((id) => !id.endsWith(ERROR)));
  }
  const placed = (error?.errors ?? []).filter(({ field, problem }) => showAtField(form, String(field).split(".").at(-1), problem));
  $("[aria-invalid]", form)?.focus();
  const place = $(".form-error", form);
  if (!place) return;
  const isTold = error && placed.length > 0 && placed.length === error.errors.length;
  place.hidden = !error || isTold;
  place.textContent = error && !isTold ? capital(error.message) : "";
}

function showAtField(form, name, words) {
  const field = form.elements[name];
  const label = field?.closest?.("label.field");
  if (!label) return false;
  // The field may say so itself already.
  if (field.getAttribute("aria-invalid") === "true") return true;
  const id = `${form.id}-${name}${ERROR}`;
  label.after(h("p", { class: "field-error", id }, capital(words)));
  field.setAttribute("aria-invalid", "true");
  field.dataset.refused = "";
  describe(field, [...(field.getAttribute("aria-describedby") ?? "").split(" "), id]);
  return true;
}

/** A field may be described by other things, too. */
function describe(field, ids) {
  const words = ids.filter(Boolean).join(" ");
  if (words) field.setAttribute("aria-describedby", words);
  else field.removeAttribute("aria-describedby");
}

/** The values of a form's fields by name, without empty ones. */
export const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
