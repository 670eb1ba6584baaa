// Which of the waiting messages are picked, and taking them out.

import { onPress } from "./action.js";
import { post } from "./api.js";
import { openDialog } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { phone } from "./format.js";
import { t, tn } from "./i18n.js";
import { Selection } from "./selection.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";

const SAMPLE = 3;
const messages = (count) => tn("%(count)s message", "%(count)s messages", count);

/** `filter()` is the page's; `changed()` is called after something was taken out, or put back. Returns {selection, clearMatching}. */
export function wireClearing({ filter, changed }) {
  const selection = new Selection($("#waiting"), (count) => say($("#clear-selected"), tn("Clear %(count)s …", "Clear %(count)s …", count)));
  let asks = 0;

  function clear(wanted, sample) {
    const { lane, ...narrowed } = wanted.filter ?? {};
    const body = { scope: "queued", ...(Object.keys(narrowed).length ? { filter: asked(narrowed) } : {}) };
    const path = lane ? `/clear?lane=${encodeURIComponent(lane)}` : "/clear";
    const go = $("#clear-part-go");
    say($("#clear-part-count"), t("Counting …"));
    $("#clear-part-sample").replaceChildren(sampleList(sample));
    say(go, t("Clear"));
    openDialog("clear-part-dialog", async () => {
      say(go, t("Clearing …"));
      const answer = await post(path, body).finally(() => say(go, t("Clear")));
      selection.forget();
      tellCleared(answer, changed);
      changed();
    });
    go.disabled = true;
    asks += 1;
    const mine = asks;
    post(path, { ...body, dry_run: true }).then(({ matching }) => {
      if (mine !== asks) return;
      say($("#clear-part-count"), matching ? messages(matching) : t("No waiting message matches any more."));
      say(go, matching ? tn("Clear %(count)s message", "Clear %(count)s messages", matching) : t("Clear"));
      go.disabled = !matching;
    }, (error) => say($("#clear-part-count"), error.message));
  }

  const clearMatching = () => clear({ filter: filter() }, selection.offered);

  function clearSelected() {
    if (selection.isAll) return clearMatching();
    const { ids, offered } = selection;
    return clear({ filter: { lane: filter().lane, ids } }, offered.filter((message) => selection.has(message.message_id)));
  }

  onPress($("#clear-selected"), clearSelected);
  onPress($("#unselect"), () => selection.forget());
  onPress($("#select-all"), () => selection.pickMatching());
  return { selection, clearMatching };
}

/** The page's filter, as clearing wants it. */
const asked = ({ state, ...rest }) => ({ ...rest, ...(state ? { state: [state] } : {}) });

function sampleList(items) {
  const shown = items.slice(0, SAMPLE).map((message) => h("li", {}, h("b", {}, phone(message.phone_number) || t("unreadable")), ` · ${message.source}`, message.message && h("span", { class: "clip" }, message.message)));
  return shown.length ? h("ul", { class: "sample", "aria-label": t("Some of them") }, shown) : "";
}

function tellCleared({ cleared_queued, cancelling, refused, undo_id }, changed) {
  const taken = tn("%(count)s message cleared.", "%(count)s messages cleared.", cleared_queued);
  const held = cancelling ? tn("%(count)s more is held by the consumer and will not be tried again.", "%(count)s more are held by the consumer and will not be tried again.", cancelling) : "";
  offerUndo([taken, held].filter(Boolean).join(" "), cleared_queued || cancelling ? undo_id : null, changed);
  if (refused) toast(tn("%(count)s message stays: the broker did not accept the record of its clearing.", "%(count)s messages stay: the broker did not accept the record of their clearing.", refused), { bad: true });
}
