// Under a field for a phone number: the number that will be used, or what is wrong with what is typed.

import { get } from "./api.js";
import { h, say } from "./dom.js";
import { capital, said, t } from "./i18n.js";

/** Milliseconds without a key before the server is asked. */
const QUIET = 200;
const shown = new WeakMap();

const SENTENCES = {
  __proto__: null,
  "letter-in-phone-number": ({ place, character }) => (character
    ? t("Character %(place)s is the letter %(letter)s: a phone number has digits only.", { place, letter: character })
    : t("Character %(place)s is a letter: a phone number has digits only.", { place })),
  "foreign-digit": ({ place }) => t("Character %(place)s is a digit of another script: use 0 to 9.", { place }),
  "hidden-character": ({ place }) => t("Character %(place)s is invisible and may change the number: type the number again.", { place }),
  "character-in-phone-number": ({ place, character }) => (character
    ? t("Character %(place)s is “%(character)s”, which no phone number has.", { place, character })
    : t("Character %(place)s does not belong in a phone number.", { place })),
  "misplaced-plus": () => t("The + may only stand in front."),
  "several-phone-numbers": () => t("A message goes to one number only."),
  "phone-extension": () => t("A WhatsApp number has no extension."),
  "group-id": () => t("This is a WhatsApp group, not a person."),
  "phone-number-too-short": ({ abroad }) => (abroad
    ? t("This is too short for a mobile number of this country.")
    : t("This is too short for an Indonesian number. For a number abroad begin with +.")),
  "phone-number-too-long": ({ abroad }) => (abroad
    ? t("This is too long for a mobile number of this country.")
    : t("This is too long for an Indonesian number. For a number abroad begin with +.")),
  "not-a-mobile-number": () => t("This is not a mobile number. For a number abroad begin with +."),
  "invalid-phone-number": () => t("This is not a valid mobile number. For a number abroad begin with +."),
};

function sentence(problem, typed) {
  const abroad = /^\W*(\+|00)/.test(typed);
  return SENTENCES[problem.code]?.({ ...problem, abroad }) ?? capital(said(problem.detail));
}

/** Show it under the field from now on; asked again for the same field, only bring it up to date. */
export function showNumber(input) {
  const note = shown.get(input) ?? attach(input);
  note.update();
}

function attach(input) {
  const place = h("p", { class: "number-note", id: `${input.form.id}-number`, role: "status" });
  input.closest("label").after(place);
  input.setAttribute("aria-describedby", place.id);
  const write = (words, kind) => {
    say(place, words);
    place.dataset.kind = kind;
    if (kind === "bad") input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  let timer;
  const update = async () => {
    clearTimeout(timer);
    const typed = input.value;
    if (!typed.trim()) return write("", "");
    const answer = await get("/numbers", { phone_number: typed.slice(0, 200) }).catch(() => null);
    // An answer that comes late is about something that stands there no more.
    if (typed !== input.value) return undefined;
    if (!answer) return write("", "");
    if (!answer.problem) return write(t("→ %(number)s will be used", { number: answer.display }), "good");
    const unfinished = answer.problem.code === "phone-number-too-short" && document.activeElement === input;
    return write(sentence(answer.problem, typed), unfinished ? "" : "bad");
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, QUIET);
  });
  input.addEventListener("blur", update);
  shown.set(input, { update });
  return { update };
}
