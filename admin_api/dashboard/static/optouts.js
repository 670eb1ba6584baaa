// Opt-outs: their words, the dialogs that add and remove one, and a row of proof.

import { may, need } from "./access.js";
import { onPress } from "./action.js";
import { ask, post } from "./api.js";
import { openDialog, values } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { phone } from "./format.js";
import { t } from "./i18n.js";
import { showNumber } from "./number_field.js";
import { settle } from "./settle.js";
import { toast } from "./toast.js";
import { person, when } from "./words.js";

const PURPOSES = { __proto__: null, all: t("anything at all"), marketing: t("advertising"), reminder: t("reminders"), transaction: t("confirmations, such as of payments") };
const CHANNELS = { __proto__: null, api: t("over the API"), cli: t("on the command line"), page: t("on this page"), inbound: t("in their own message") };

/** What somebody does not want. */
export const purposeWord = (purpose) => PURPOSES[purpose || "all"] ?? purpose;
export const channelWord = (channel) => CHANNELS[channel] ?? channel;

/** Ask for a number, unless it is known, and add an opt-out; `changed()` is called then. */
export function openAdd(changed, number = "") {
  const form = $("#optout-form");
  form.reset();
  form.elements.phone_number.value = number;
  form.elements.phone_number.readOnly = Boolean(number);
  openDialog("optout-dialog", async () => {
    const wanted = values(form);
    await post("/optouts", wanted);
    toast(t("The opt-out is recorded. Such messages are not sent to this person."));
    await changed();
  });
  showNumber(form.elements.phone_number);
  if (number) form.elements.purpose.focus();
}

/** Ask, and take an opt-out back. */
export function openRemove(row, changed) {
  say($("#optin-who"), phone(row.phone_number));
  say($("#optin-what"), t("Does not want: %(what)s", { what: purposeWord(row.purpose) }));
  settle($("#optin-form button.bad"));
  openDialog("optin-dialog", async () => {
    await ask("DELETE", `/optouts/${encodeURIComponent(row.phone_number)}`, { query: { purpose: row.purpose } });
    toast(t("The opt-out is removed."));
    await changed();
  });
}

/** The proof in one cell: the words, if there are any, then who wrote it down and how. */
export const proof = (row) => [
  row.words && h("span", { class: "proof-words" }, `“${row.words}”`),
  h("span", { class: "proof-by" }, written(row)),
];

/** By whom and how; the name of a program or a command says how by itself. */
function written({ by, channel }) {
  if (!by || channel === "inbound") return channelWord(channel);
  return /^(api|cli):/.test(by) ? person(by) : [person(by), channelWord(channel)].join(", ");
}

/** The opt-outs of one person, as a list. */
export const list = (rows, changed) => h("ul", { class: "optout-list" }, rows.map((row) => h("li", {},
  h("div", {}, h("b", {}, purposeWord(row.purpose)), proof(row), h("span", { class: "proof-by" }, when(row.at))), removeButton(row, changed))));

/** The columns of a table of opt-outs; `number` is the one that names the person. */
export const columns = ({ number, changed }) => [
  number,
  { label: t("Does not want"), class: "what", cell: (row) => purposeWord(row.purpose) },
  { label: t("Proof"), class: "wide proof", cell: proof },
  { label: t("Since"), class: "nowrap since", cell: (row) => when(row.at) },
  { label: "", head: h("span", { class: "sr" }, t("Remove the opt-out")), class: "act", cell: (row) => removeButton(row, changed) },
];

function removeButton(row, changed) {
  const button = onPress(h("button", { type: "button", class: "button small", "data-role": "operator", "aria-label": t("Remove: %(number)s, %(what)s", { number: phone(row.phone_number), what: purposeWord(row.purpose) }) }, t("Remove …")), () => openRemove(row, changed));
  if (!may("operator")) Object.assign(button, { disabled: true, title: need("operator") });
  return button;
}
