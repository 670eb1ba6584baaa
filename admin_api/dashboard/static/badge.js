import { $ } from "./dom.js";
import { number } from "./format.js";

/** Show how many dead letters there are, beside the desk's name. */
export function showDead(count) {
  const badge = $("[data-dead]");
  if (!badge) return;
  badge.hidden = !count;
  badge.textContent = count > 999 ? "999+" : number(count);
}
