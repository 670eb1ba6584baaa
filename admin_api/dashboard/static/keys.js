// Keys that work on every page. None of them while somebody types, or together with Ctrl, Alt or Meta; only Ctrl-K always.

import { prefix } from "./api.js";
import { $ } from "./dom.js";
import { openPalette, wirePalette } from "./palette.js";
import * as rows from "./rows.js";

const PLACES = { h: "/", w: "/waiting", d: "/desk", s: "/search", r: "/report", a: "/activity", c: "/health", i: "/import", p: "/planning", o: "/opt-outs" };
const PATIENCE = 1200;
const ROWS = { j: () => rows.move(1), k: () => rows.move(-1), x: rows.pick, X: rows.pickUpTo, r: rows.redrive };
const own = new Map();
let began = -PATIENCE;

/** A key of one page. */
export const onKey = (key, run) => own.set(key, run);

const typing = (element) => element?.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [role=slider], dialog[open]");
const isPalette = (event) => (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";

function pressed(event) {
  if (event.isComposing || $("dialog[open]")) return;
  if (isPalette(event)) {
    event.preventDefault();
    openPalette({ help: openHelp });
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
  const isSecond = performance.now() - began < PATIENCE;
  began = -PATIENCE;
  if (isSecond && PLACES[event.key]) location.assign(prefix + PLACES[event.key]);
  else if (event.key === "g") began = performance.now();
  else if (event.key === "?") openHelp();
  else if (event.key === "/") {
    event.preventDefault();
    openPalette({ help: openHelp });
  } else (own.get(event.key) ?? ROWS[event.key])?.();
}

/** Show which keys there are. */
export function openHelp() {
  const opener = document.activeElement;
  const dialog = $("#help");
  dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
  dialog.showModal();
}

export function listen() {
  document.addEventListener("keydown", pressed);
  rows.watch();
  wirePalette({ help: openHelp });
}
