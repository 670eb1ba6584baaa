// The planner: so many messages, when would they be sent, and what would hold them up.

import { get } from "../api.js";
import { $, empty, h } from "../dom.js";
import { fromField } from "../format.js";
import { capital, t } from "../i18n.js";
import { on } from "../news.js";
import { planView } from "../plan_view.js";
import { priorityWord } from "../words.js";

const QUIET = 400;
const form = $("#plan-form");
const NAMES = ["lane", "messages", "priority", "cold", "deadline"];
let round = 0;
let timer = 0;
let isOld = false;

/** What is asked, as the API wants it: the share of new contacts is a part of 1. */
function question() {
  const { lane, messages, priority, cold, deadline } = form.elements;
  return { lane: lane.value, messages: messages.value, priority: priority.value, cold: Number(cold.value) / 100, deadline: fromField(deadline.value) };
}

function refuse(error) {
  const place = $(".form-error", form);
  place.hidden = !error;
  place.textContent = error ? capital(error.message) : "";
}

async function calculate() {
  clearTimeout(timer);
  if (!form.reportValidity()) return;
  round += 1;
  const mine = round;
  remember();
  try {
    const plan = await get("/plan", question());
    if (mine !== round) return;
    refuse(null);
    $("#answer").replaceChildren(isOld ? unknown() : planView(plan));
  } catch (error) {
    if (mine !== round) return;
    refuse(error);
    $("#answer").replaceChildren(unknown());
  }
}

const unknown = () => empty(t("Not known"), t("There is no plan at the moment."));

/** The address keeps what was asked. */
function remember() {
  const words = new URLSearchParams(NAMES.map((name) => [name, form.elements[name].value]).filter(([, value]) => value));
  history.replaceState(null, "", `?${words}`);
}

function fill() {
  form.elements.priority.append(...["normal", "low", "high", "urgent"].map((name) => h("option", { value: name }, priorityWord(name))));
  const known = new URLSearchParams(location.search);
  const lane = known.get("lane");
  if (lane) form.elements.lane.append(h("option", { value: lane }, lane));
  for (const name of NAMES) if (known.get(name)) form.elements[name].value = known.get(name);
}

/** The lanes come with the first news. */
function offerLanes({ lanes }) {
  const select = form.elements.lane;
  if (select.options.length < lanes.length) select.replaceChildren(...lanes.map((lane) => h("option", { value: lane, selected: lane === select.value }, lane)));
  $("#lane-field").hidden = lanes.length < 2;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await calculate();
  // On a phone the answer is below what was asked.
  $(".plan-result").scrollIntoView({ block: "nearest" });
});
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => { if (form.checkValidity()) calculate(); }, QUIET);
});
on("overall", (now) => {
  if (now.isOld === isOld) return;
  isOld = now.isOld;
  if (isOld) $("#answer").replaceChildren(unknown());
  else calculate();
});
on("status", offerLanes);
fill();
export const ready = calculate();
