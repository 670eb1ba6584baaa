// When a message is to be sent, and until when: fields of the browser's own local time, told again in full words.

import { $, $$, say } from "./dom.js";
import { fromField, toField } from "./format.js";
import { language, t } from "./i18n.js";

const NAMES = ["deliver_at", "expires_at"];
//: Days that a message may wait for its time.
const MOST_DAYS = 194;
const zone = new Intl.DateTimeFormat(language, { timeZoneName: "short" }).formatToParts().find((part) => part.type === "timeZoneName")?.value ?? "";
const words = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const chosen = (form, name) => form.elements[`choose_${name}`].value === "at";
const at = (form, name) => (chosen(form, name) ? fromField(form.elements[name].value) : undefined);

/** What is wrong with the two times, by the name of the field; `now` in seconds. */
export function mistakes({ deliver_at: deliver, expires_at: expires }, now) {
  const found = {};
  if (deliver !== undefined && deliver <= now) found.deliver_at = t("This time is over. Choose a later one, or send now.");
  if (deliver > now + MOST_DAYS * 86400) found.deliver_at = t("This is too far ahead: at most %(n)s days.", { n: MOST_DAYS });
  if (expires !== undefined && expires <= Math.max(now, deliver ?? now)) found.expires_at = t("The message would expire before it may be sent.");
  return found;
}

/** Wire the fields of one form; they hand on `deliver_at` and `expires_at` as the API wants them, or nothing. */
function wire(box) {
  const form = box.closest("form");
  const place = (name) => $(`#${name.replace("_", "-")}-words`, box);
  $$(".zone", box).forEach((element) => say(element, zone && `(${zone})`));

  function tell(name, mistake) {
    const field = form.elements[name];
    const time = at(form, name);
    place(name).hidden = !chosen(form, name) || !(mistake || time);
    place(name).classList.toggle("form-error", Boolean(mistake));
    say(place(name), mistake ?? (time ? words.format(time * 1000) : ""));
    if (mistake) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", place(name).id);
  }

  function show(name) {
    const field = form.elements[name];
    field.closest("label").hidden = !chosen(form, name);
    if (chosen(form, name) && !field.value) field.value = toField(Math.ceil(Date.now() / 3_600_000) * 3600 + (name === "expires_at" ? 86400 : 0));
    tell(name);
  }

  function check(event) {
    const times = Object.fromEntries(NAMES.map((name) => [name, at(form, name)]));
    const found = mistakes(times, Date.now() / 1000);
    for (const name of NAMES.filter((each) => chosen(form, each) && times[each] === undefined)) found[name] = t("Choose a day and a time.");
    NAMES.forEach((name) => tell(name, found[name]));
    if (!Object.keys(found).length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    form.elements[NAMES.find((name) => found[name])].focus();
  }

  for (const name of NAMES) {
    for (const choice of form.elements[`choose_${name}`]) choice.addEventListener("change", () => { show(name); if (chosen(form, name)) form.elements[name].focus(); });
    form.elements[name].addEventListener("input", () => tell(name));
  }
  // Before the dialog's own listener, which sends.
  form.addEventListener("submit", check, { capture: true });
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of NAMES) {
      const time = at(form, name);
      formData.delete(`choose_${name}`);
      formData.delete(name);
      if (time !== undefined) formData.set(name, new Date(time * 1000).toISOString());
    }
  });
  form.closest("dialog")?.addEventListener("close", () => {
    if (form.closest("dialog").open) return;
    for (const name of NAMES) {
      form.elements[name].value = "";
      form.elements[`choose_${name}`][0].checked = true;
      show(name);
    }
  });
}

$$("[data-schedule]").forEach(wire);
