// Copying what is on the page.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./toast.js";

/** Without a secure connection, browsers copy only what is selected. */
function copySelected(text) {
  const field = h("textarea", { class: "sr", "aria-hidden": "true", tabindex: -1 });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error(t("The browser does not allow copying."));
}

async function copy(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text).catch(() => copySelected(text));
  else copySelected(text);
  toast(t("Copied."));
}

/** A button that copies a text; `what` says which, for those who cannot see it. */
export function copyButton(text, what) {
  const button = h("button", { type: "button", class: "link copy", "aria-label": what, title: what }, t("Copy"));
  button.addEventListener("click", async () => {
    try {
      await copy(text);
    } catch (error) {
      toast(error.message, { bad: true });
    }
    button.focus();
  });
  return button;
}
