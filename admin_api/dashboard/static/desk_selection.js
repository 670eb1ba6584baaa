// Picking dead letters, and what can be done with those that are picked.

import { onPress } from "./action.js";
import { $ } from "./dom.js";
import { Selection } from "./selection.js";

/** `redrive(selected)` and `remove(selected, count)` are called for what is picked; `filter()` is the page's. */
export function wireSelection({ filter, redrive, remove }) {
  const selection = new Selection($("#letters"));
  const chosen = () => (selection.isAll ? { filter: filter() } : { ids: selection.ids });
  onPress($("#redrive"), () => redrive(chosen()));
  onPress($("#delete"), () => remove(chosen(), selection.count));
  onPress($("#unselect"), () => selection.forget());
  onPress($("#select-all"), () => selection.pickMatching());
  return selection;
}
