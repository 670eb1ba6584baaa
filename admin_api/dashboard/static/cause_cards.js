// What the dead letters died of: one card for each cause, with its own two actions.

import { applyRole } from "./access.js";
import { onPress } from "./action.js";
import { address } from "./api.js";
import { causeCode, causeDetail, causeTitle } from "./causes.js";
import { $, $$, h, say } from "./dom.js";
import { ago, full, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { families } from "./letter_dialogs.js";

//: Cards that are shown before all are asked for, and on a phone.
const FEW = matchMedia("(max-width: 47rem)").matches ? 1 : 6;
//: The provider's wordings that one card shows.
const WORDINGS = 2;

let showsAll = false;

/** Draw them; `redrive(selected)` and `remove(selected, count)` begin the two actions. */
export function drawCauses(groups, { filters, redrive, remove }) {
  const causes = families(groups);
  const more = $("#all-causes");
  $("#causes-title").closest("section").hidden = !causes.length;
  const draw = () => {
    $("#groups").replaceChildren(...causes.slice(0, showsAll ? undefined : FEW).map((cause) => card(cause, { filters, redrive, remove })));
    applyRole($("#groups"));
    more.hidden = showsAll || causes.length <= FEW;
    say(more, tn("%(count)s more cause", "%(count)s more causes", causes.length - FEW));
  };
  more.onclick = () => { showsAll = true; draw(); };
  draw();
}

function card(cause, { filters, redrive, remove }) {
  const { failure_class, code, count } = cause;
  const now = filters.filter;
  const isChosen = now.failure_class === failure_class && now.code === code;
  const { detail: _, ...rest } = now;
  const only = { ...rest, failure_class, code };
  const choose = (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    filters.set(isChosen ? { failure_class: "", code: "", detail: "" } : { failure_class, code, detail: "" });
  };
  const again = h("button", { type: "button", class: "button small", "data-role": "operator" }, t("Re-drive %(n)s …", { n: number(count) }));
  const away = h("button", { type: "button", class: "button small quiet danger", "data-role": "admin", "aria-label": t("Delete %(n)s …", { n: number(count) }) }, t("Delete …"));
  return h("li", { class: "cause", "data-chosen": isChosen },
    h("a", { class: "cause-link", href: address("/desk", { failure_class, code }), "aria-current": isChosen ? "true" : null, onclick: choose },
      h("span", { class: "cause-count" }, number(count)),
      h("span", { class: "cause-name" }, causeTitle(failure_class, code)),
      h("span", { class: "cause-detail" }, wordings(cause)),
      h("span", { class: "cause-when", title: `${full(cause.oldest)} – ${full(cause.newest)}` }, h("code", {}, causeCode("", code)), " ", h("span", { "data-newest": cause.newest, "data-oldest": cause.oldest }, age(cause)))),
    h("p", { class: "cause-acts" }, onPress(again, () => redrive({ filter: only })), onPress(away, () => remove({ filter: only }, count))));
}

function wordings({ details }) {
  const said = [...new Set(details.map(causeDetail))].filter(Boolean);
  const more = said.length - WORDINGS;
  return [said.slice(0, WORDINGS).join(" · "), more > 0 && tn("and %(count)s other wording", "and %(count)s other wordings", more)].filter(Boolean).join(" · ");
}

const age = ({ newest, oldest }) => (newest > oldest ? t("latest %(newest)s, first %(oldest)s", { newest: ago(newest), oldest: ago(oldest) }) : ago(newest));

/** Ages grow while nobody touches the page. */
export function growOlder() {
  for (const place of $$("[data-ago]")) say(place, ago(Number(place.dataset.ago)));
  for (const place of $$("[data-newest]")) say(place, age({ newest: Number(place.dataset.newest), oldest: Number(place.dataset.oldest) }));
}
