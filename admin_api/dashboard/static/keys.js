// Keys that work on every page. None of them while somebody types, or together with Ctrl, Alt or Meta.

import { prefix } from "./api.js";
import { $ } from "./dom.js";

const PLACES = { h: "/", d: "/desk", s: "/search", a: "/activity" };
const PATIENCE = 1200;
const own = new Map();
let began = 0;

/** A key of one page. */
export const onKey = (key, run) => own.set(key, run);

const typing = (element) => element?.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [role=slider], dialog[open]");

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || $("dialog[open]")) return;
  if (performance.now() - began < PATIENCE && PLACES[event.key]) location.assign(prefix + PLACES[event.key]);
  else if (event.key === "g") began = performance.now();
  else if (event.key === "?") openHelp();
  else if (event.key === "/") find(event);
  else own.get(event.key)?.();
}

/** Show which keys there are. */
export function openHelp() {
  const opener = document.activeElement;
  const dialog = $("#help");
  dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
  dialog.showModal();
}

function find(event) {
  event.preventDefault();
  const field = $("#filters [name=phone_number]");
  field?.closest("details")?.setAttribute("open", "");
  if (field) field.focus();
  else location.assign(`${prefix}/search`);
}

export const listen = () => document.addEventListener("keydown", pressed);
