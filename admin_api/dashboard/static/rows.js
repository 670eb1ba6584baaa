// Going through the rows of a list with the keyboard. The row where one is, is the one whose link has the focus, so that
// Enter opens it and a screen reader says it.

import { $, $$ } from "./dom.js";

const link = (row) => $("a[href]", row);
const box = (row) => row && $("td input[type=checkbox]", row);
const rows = () => $$("main table:is(.cards, .letters) tbody tr").filter((row) => link(row) && row.getClientRects().length);
const here = () => rows().find((row) => row.contains(document.activeElement));

//: The link that had the focus last, and the row that was ticked last.
let held = null;
let ticked = null;

const find = (address) => rows().find((row) => link(row).href === address);

/** Go to the next row, or with -1 to the one before. */
export function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(here() ?? (held && find(held.href)));
  const next = all[now < 0 ? 0 : Math.min(all.length - 1, Math.max(0, now + step))];
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** Tick the row, or take the tick away. */
export function pick() {
  const row = here();
  if (!box(row)) return;
  box(row).click();
  ticked = link(row).href;
}

/** Tick every row from the one that was ticked last to this one. */
export function pickUpTo() {
  const all = rows();
  const [one, other] = [all.indexOf(ticked && find(ticked)), all.indexOf(here())].sort((a, b) => a - b);
  if (one < 0) {
    pick();
    return;
  }
  all.slice(one, other + 1).map(box).filter((each) => each && !each.checked).forEach((each) => each.click());
}

/** Ask about re-driving what is ticked, else this row; on a message's own page only reach the button. */
export function redrive() {
  const bar = $("#selection:not([hidden]) #redrive");
  if (bar) {
    bar.click();
    return;
  }
  const row = here();
  if (box(row) && $("#redrive")) {
    if (!box(row).checked) box(row).click();
    $("#redrive").click();
    return;
  }
  $("main [data-key=r]")?.focus();
}

/** Stay where one is when a list is drawn anew. */
export function watch() {
  document.addEventListener("focusin", ({ target }) => { held = target.closest?.("main table:is(.cards, .letters) tbody a[href]") ?? null; });
  new MutationObserver(() => {
    if (!held || held.isConnected || document.activeElement !== document.body) return;
    const again = find(held.href);
    if (again) link(again).focus({ preventScroll: true });
  }).observe($("main"), { childList: true, subtree: true });
}

/** Draw a list anew without moving what is being read: the first row in sight stays at its height. */
export function inPlace(draw) {
  const first = rows().find((row) => row.getBoundingClientRect().bottom > 0);
  const address = first && link(first).href;
  const before = first?.getBoundingClientRect().top;
  draw();
  const again = address && scrollY > 0 && find(address);
  if (again) scrollBy({ top: again.getBoundingClientRect().top - before, behavior: "instant" });
}
