// The dashboard's buttons.

import { may } from "./access.js";
import { onPress } from "./action.js";
import { post } from "./api.js";
import { block } from "./availability.js";
import { openDialog, values } from "./dialog.js";
import { $, say } from "./dom.js";
import { number, phone } from "./format.js";
import { t, tn } from "./i18n.js";
import { onKey } from "./keys.js";
import { showNumber } from "./number_field.js";
import "./schedule_fields.js";
import { toast } from "./toast.js";
import { offerUndo } from "./undo.js";
import { messageHref, shortId } from "./words.js";

//: Milliseconds for which a button that has just become another one takes no press: it may be meant for what it was.
const SETTLING = 1000;

//: Milliseconds that a message sent on its own may take beyond what it was told to wait for.
const PATIENCE = 5000;

const followed = (id) => ({ action: { label: t("Follow it"), run: () => location.assign(messageHref(id)) } });

/** Wire the buttons; `counts()` is the latest status. Returns {show(status)}. */
export function wireActions({ lane, counts }) {
  const at = (path) => `${path}${lane ? `?lane=${encodeURIComponent(lane)}` : ""}`;
  let wasPaused = null;
  let changed = -SETTLING;
  let tried = { id: null, until: 0 };
  const isSettling = () => performance.now() - changed < SETTLING;

  /** Both buttons change their meaning when the lane is paused or resumed. */
  function show(status) {
    if (wasPaused !== null && wasPaused !== status.paused) changed = performance.now();
    wasPaused = status.paused;
    say($("#pause"), status.paused ? t("Resume") : t("Pause"));
    $("#pause").classList.toggle("strong", status.paused);
    say($("#force"), status.paused ? t("Send exactly one") : t("Send the next now"));
    $("#simulate").hidden = !(status.is_sandbox ?? status.provider === "sandbox");
    block($("#force"), whyNoNext(status));
  }

  async function togglePause() {
    if (isSettling()) return;
    const { paused } = await post(at(wasPaused ? "/resume" : "/pause"));
    toast(paused ? t("Paused. A message that is already being sent will be completed.") : t("Sending goes on."));
    if (counts()) show({ ...counts(), paused });
  }

  async function sendNext() {
    if (isSettling()) return;
    if (wasPaused) await sendOne();
    else await force();
  }

  async function sendOne() {
    // It keeps the pause first: a person who sees nothing happen and presses again would send two.
    if (counts() && isOnItsWay(tried, counts(), performance.now())) {
      toast(t("One message is on its way. Wait until it is sent."));
      return;
    }
    const { message_id: id, wait } = await post(at("/try-one"));
    tried = { id, until: performance.now() + (wait ?? 0) * 1000 + PATIENCE };
    toast(t("One message goes out: %(id)s. Sending stays paused.", { id: nameOf(id, counts()) }), followed(id));
  }

  async function force() {
    const reason = counts()?.next_send_reason;
    if (reason === "sending") {
      toast(t("A message is being sent right now. The next one waits for the pause after it."));
      return;
    }
    const { forced, ended } = await post(at("/force-process"));
    if (!forced) toast(t("No consumer received this."), { bad: true });
    else if (ended && !ended.length) toast(t("There was no wait to end: the next message goes out by itself."));
    else toast([...(ended ?? []), reason].includes("unavailable") ? t("The provider is asked again now.") : t("The next message goes out now."));
  }

  const openTest = () => showNumber(openDialog("test-dialog", async (form) => {
    const wanted = values(form);
    const { message_id: id } = await post(at("/send-test"), wanted);
    toast(wanted.deliver_at ? t("The test is scheduled.") : t("The test waits in the queue."), followed(id));
  }).querySelector("form").elements.phone_number);

  async function simulate() {
    const { message_ids: ids } = await post(at("/simulate"));
    toast(tn("%(count)s registration is in the queue.", "%(count)s registrations are in the queue.", ids.length));
  }

  const clear = () => {
    fillCounts(counts());
    openDialog("clear-dialog", async (form) => {
      const answer = await post(at("/clear"), { scope: values(form).scope });
      form.reset();
      offerUndo(cleared(answer), answer.cleared_queued + answer.cleared_failed ? answer.undo_id : null);
    }).querySelector("form").elements.sure.checked = false;
  };

  onPress($("#pause"), togglePause, { rest: SETTLING });
  onPress($("#force"), sendNext, { rest: SETTLING });
  onPress($("#test"), openTest);
  onPress($("#simulate"), simulate, { rest: SETTLING });
  onPress($("#clear"), clear);
  if (may("operator")) {
    // Not pressed, only reached: a slip of the finger must not stop the lane.
    onKey("p", () => $("#pause").focus());
    onKey("t", openTest);
  }
  return { show };
}

/** Why there is no next message to send; empty when there is one. */
function whyNoNext(status) {
  if (status.running === false) return t("No consumer is running.");
  if (status.waiting + status.in_flight) return "";
  if (status.paused) return t("Nothing waits.");
  return status.retrying ? "" : t("Nothing waits.");
}

/** Whether the one message of a paused lane has yet to be sent; one that is not sent in time may be tried again. */
export const isOnItsWay = ({ id, until }, status, now) =>
  status.paused && now < until && [status.sending, ...(status.next_messages ?? [])].some((one) => one?.message_id === id);

/** A message as people know it, if the page knows it. */
function nameOf(id, status) {
  const known = status?.next_messages?.find((message) => message.message_id === id);
  return [phone(known?.phone_number) || shortId(id), known?.source].filter(Boolean).join(" · ");
}

const messages = (count) => tn("%(count)s message", "%(count)s messages", count);

function fillCounts(status) {
  const queued = (status?.waiting ?? 0) + (status?.held ?? 0) + (status?.retrying ?? 0) + (status?.scheduled ?? 0);
  const failed = status?.failed_messages ?? 0;
  const set = (name, words) => say($(`#clear-dialog [data-count="${name}"]`), words);
  set("queued", [messages(queued), t("waiting, held, retrying and scheduled")].join(" · "));
  set("failed", messages(failed));
  set("all", messages(queued + failed));
  const flight = $("#clear-flight");
  flight.hidden = !status?.in_flight;
  say(flight, t("One message is being sent. It cannot be called back."));
}

function cleared(answer) {
  const words = t("Cleared: %(queued)s waiting, %(failed)s dead letters.", { queued: number(answer.cleared_queued), failed: number(answer.cleared_failed) });
  return [words, answer.in_flight && t("One message was already being sent.")].filter(Boolean).join(" ");
}
