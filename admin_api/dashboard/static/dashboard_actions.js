// The dashboard's buttons.

import { may, need } from "./access.js";
import { post } from "./api.js";
import { openDialog, values } from "./dialog.js";
import { $, say } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";
import { onKey } from "./keys.js";
import { complain, toast } from "./toast.js";
import "./schedule_fields.js";
import { offerUndo } from "./undo.js";
import { messageHref } from "./words.js";

/** Wire the buttons; `counts()` is the latest status. Returns {show(status)}. */
export function wireActions({ lane, counts }) {
  const at = (path) => `${path}${lane ? `?lane=${encodeURIComponent(lane)}` : ""}`;
  const attempt = (path, words) => post(at(path)).then(() => toast(words), complain);

  const togglePause = () => (counts()?.paused
    ? attempt("/resume", t("The lane goes on."))
    : attempt("/pause", t("The lane is paused. What is being sent is finished.")));

  const force = () => post(at("/force-process")).then(
    ({ forced }) => (forced ? toast(t("The pause is over: what waits goes out now.")) : toast(t("No consumer was there to hear it."), { bad: true })), complain);

  const openTest = () => openDialog("test-dialog", async (form) => {
    const { message_id: id } = await post(at("/send-test"), values(form));
    toast(t("The test waits in the queue."), { action: { label: t("Follow it"), run: () => location.assign(messageHref(id)) } });
  });

  const simulate = () => post(at("/simulate")).then(
    ({ message_ids: ids }) => toast(tn("%(count)s registration is in the queue.", "%(count)s registrations are in the queue.", ids.length)), complain);

  const clear = () => {
    fillCounts(counts());
    openDialog("clear-dialog", async (form) => {
      const answer = await post(at("/clear"), { scope: values(form).scope });
      form.reset();
      offerUndo(cleared(answer), answer.cleared_queued + answer.cleared_failed ? answer.undo_id : null);
    }).querySelector("form").elements.sure.checked = false;
  };

  const wire = (id, role, run) => $(`#${id}`).addEventListener("click", () => (may(role) ? run() : toast(need(role), { bad: true })));
  wire("pause", "operator", togglePause);
  wire("force", "operator", force);
  wire("test", "operator", openTest);
  wire("simulate", "operator", simulate);
  wire("clear", "admin", clear);
  if (may("operator")) {
    // Not pressed, only reached: a slip of the finger must not stop the lane.
    onKey("p", () => $("#pause").focus());
    onKey("t", openTest);
  }
  return { show };
}

function show(status) {
  say($("#pause"), status.paused ? t("Resume") : t("Pause"));
  $("#pause").classList.toggle("strong", status.paused);
  $("#simulate").hidden = status.provider !== "sandbox";
}

const messages = (count) => tn("%(count)s message", "%(count)s messages", count);

function fillCounts(status) {
  const queued = (status?.waiting ?? 0) + (status?.retrying ?? 0) + (status?.scheduled ?? 0);
  const failed = status?.failed_messages ?? 0;
  const set = (name, words) => say($(`#clear-dialog [data-count="${name}"]`), words);
  set("queued", [messages(queued), t("waiting, retrying and scheduled")].join(" · "));
  set("failed", messages(failed));
  set("all", messages(queued + failed));
  const flight = $("#clear-flight");
  flight.hidden = !status?.in_flight;
  say(flight, t("One message is being sent. It cannot be called back."));
}

function cleared(answer) {
  const words = t("Cleared: %(queued)s waiting, %(failed)s dead letters.", { queued: number(answer.cleared_queued), failed: number(answer.cleared_failed) });
  return [words, answer.in_flight && t("One was being sent already.")].filter(Boolean).join(" ");
}
