// People who do not want messages: found by number, added, and removed with a proof of both.

import { onPress } from "../action.js";
import { get } from "../api.js";
import { $, empty, h, say, table } from "../dom.js";
import { phone } from "../format.js";
import { t, tn } from "../i18n.js";
import { onChange, onReturn } from "../news.js";
import { columns, openAdd } from "../optouts.js";
import { Pager } from "../pager.js";
import { contactHref } from "../words.js";

const AFTER_NEWS = 1500;
const CHANGES = new Set(["contact.opted_out", "contact.opted_in"]);

const form = $("#filters");
const wanted = () => new URLSearchParams(location.search).get("phone_number") ?? "";

const who = (row) => (/^\+\d+$/.test(row.phone_number) ? h("a", { href: contactHref(row.phone_number) }, phone(row.phone_number)) : phone(row.phone_number));

const pager = new Pager({ path: "/optouts", button: $("#more"), draw, failed: refuse });

function draw(rows, answer) {
  const total = answer.total ?? (answer.next_cursor ? null : rows.length);
  say($("#optouts-title"), total === null ? t("Newest first") : tn("%(count)s opt-out", "%(count)s opt-outs", total));
  const nothing = wanted() ? empty(t("Nothing found"), t("This person has opted out of nothing.")) : empty(t("Nobody has opted out"), t("An opt-out comes from a person’s own message, over the API, or from here."));
  $("#optouts").replaceChildren(rows.length ? table(t("Opt-outs"), columns({ number: { label: t("Number"), class: "nowrap who", cell: who }, changed: refresh }), rows) : nothing);
}

/** What one person opted out of; the list itself is not searched. */
async function loadOne(number) {
  $("#more").hidden = true;
  const { phone_number: name, opt_outs: rows } = await get(`/contacts/${encodeURIComponent(number)}`);
  if (number === wanted()) draw(rows.map((row) => ({ ...row, phone_number: name })), { next_cursor: null });
}

function load() {
  form.elements.phone_number.value = wanted();
  $("#reset").hidden = !wanted();
  return wanted() ? loadOne(wanted()).catch(refuse) : pager.show({});
}

function refuse(error) {
  say($("#optouts-title"), t("Not known"));
  $("#optouts").replaceChildren(empty(t("This did not work"), error.message));
}

const refresh = () => (wanted() ? loadOne(wanted()) : pager.refresh()).catch(() => {});

function go(number) {
  history.pushState(null, "", number ? `?${new URLSearchParams({ phone_number: number })}` : location.pathname);
  load();
}

form.addEventListener("submit", (event) => { event.preventDefault(); go(form.elements.phone_number.value.trim()); });
$("#reset").addEventListener("click", () => go(""));
addEventListener("popstate", load);
onPress($("#add"), () => openAdd(refresh));
onChange(refresh, { after: AFTER_NEWS, matters: (event) => CHANGES.has(event.name) });
onReturn(load);
export const ready = load();
