// Which of the waiting messages are picked, and taking them out.

import { post } from "./api.js";
import { openDialog } from "./dialog.js";
import { $, $$, h, say } from "./dom.js";
import { number, phone } from "./format.js";
import { t, tn } from "./i18n.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";

const SAMPLE = 3;
const messages = (count) => tn("%(count)s message", "%(count)s messages", count);

/** `filter()` is the page's; `changed()` is called after something was taken out, or put back. */
export function wireClearing({ filter, changed }) {
  let offered = [];
  let total = 0;
  let all = false;
  let asks = 0;
  const picked = new Set();

  const count = () => (all ? total : picked.size);

  function show() {
    $("#selection").hidden = !count();
    say($("#selected-count"), all ? tn("The only match is selected", "All %(count)s that match are selected", total) : tn("%(count)s selected", "%(count)s selected", picked.size));
    const more = $("#select-all");
    more.hidden = all || total <= picked.size;
    say(more, t("Select all %(n)s that match", { n: number(total) }));
    say($("#clear-selected"), tn("Clear %(count)s …", "Clear %(count)s …", count()));
    for (const box of $$("#waiting tbody .pick input")) {
      box.checked = (all && !box.disabled) || picked.has(box.value);
      box.closest("tr").toggleAttribute("data-picked", box.checked);
    }
    const head = $("#waiting thead input");
    if (head) head.checked = all || (offered.length > 0 && offered.every((message) => picked.has(message.message_id)));
  }

  function pick(id, on) {
    // One taken out of “all” leaves those on the page: what was not seen is never half selected.
    if (all) offered.forEach((message) => picked.add(message.message_id));
    all = false;
    if (on) picked.add(id);
    else picked.delete(id);
    show();
  }

  function forget() {
    all = false;
    picked.clear();
    show();
  }

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
      forget();
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

  const clearMatching = () => clear({ filter: filter() }, offered);

  function clearSelected() {
    if (all) return clearMatching();
    const { lane } = filter();
    return clear({ filter: { lane, ids: [...picked] } }, offered.filter((message) => picked.has(message.message_id)));
  }

  $("#clear-selected").addEventListener("click", clearSelected);
  $("#unselect").addEventListener("click", forget);
  $("#select-all").addEventListener("click", () => { all = true; show(); });

  return {
    forget,
    clearMatching,
    offer(items) { offered = items; queueMicrotask(show); },
    matching(found) { total = found; show(); },
    pickAll(on) { all = false; offered.forEach((message) => (on ? picked.add(message.message_id) : picked.delete(message.message_id))); show(); },
    /** It waits no more, so it cannot be picked. */
    drop(id) {
      offered = offered.filter((message) => message.message_id !== id);
      picked.delete(id);
      const box = $$("#waiting tbody .pick input").find((one) => one.value === id);
      if (box) box.disabled = true;
      show();
    },
    box: (message) => h("input", { type: "checkbox", value: message.message_id, "aria-label": t("Select %(what)s", { what: message.phone_number || message.message_id }), onchange: (event) => pick(message.message_id, event.target.checked) }),
    mark: (line, message) => line.toggleAttribute("data-picked", all || picked.has(message.message_id)),
  };
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
