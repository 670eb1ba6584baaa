// What the reader's role allows. The server decides; here it is said beforehand.

import { $, $$ } from "./dom.js";
import { t } from "./i18n.js";

const ORDER = ["viewer", "operator", "admin"];
export const role = document.body.dataset.role;

export const may = (needed) => ORDER.indexOf(role) >= ORDER.indexOf(needed);
export const need = (needed) => (needed === "admin" ? t("This needs the role “admin”.") : t("This needs the role “operator”."));

/** Disable what the reader may not do, and say so beside it. */
export function applyRole(within = document) {
  const denied = $$("button[data-role], input[data-role]", within).filter((button) => !may(button.dataset.role));
  for (const button of denied) {
    button.disabled = true;
    button.title = need(button.dataset.role);
    if (button.tagName === "INPUT") button.placeholder = t("operators only");
  }
  const hint = $("#denied", within);
  if (!hint || !denied.some((one) => one.tagName === "BUTTON")) return;
  hint.textContent = role === "viewer"
    ? t("You are a viewer: you can look, and numbers are masked. Actions need the role “operator” or “admin”.")
    : t("Clearing and deleting need the role “admin”.");
  hint.hidden = false;
}
