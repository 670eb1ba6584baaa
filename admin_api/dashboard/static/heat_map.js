// Days by hours as a table whose cells are the darker the more was sent.

import { h } from "./dom.js";
import { number } from "./format.js";
import { language, t } from "./i18n.js";

const LEVELS = 5;
const dayFormat = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const hourName = (hour) => String(hour).padStart(2, "0");

/** The name of a day such as 2026-11-28. */
export const dayName = (date) => dayFormat.format(new Date(`${date}T00:00:00Z`));

/** `days` are [{date, hours: [24 numbers]}], oldest first. */
export function heatMap(title, days) {
  const most = Math.max(1, ...days.flatMap((day) => day.hours));
  const level = (value) => (value ? Math.ceil((value / most) * LEVELS) : 0);
  const hours = days[0].hours.map((_, hour) => h("th", { scope: "col", class: hour % 6 ? "quiet-hour" : null }, h("span", {}, hourName(hour))));
  const rows = days.map((day) => h("tr", {}, h("th", { scope: "row" }, dayName(day.date)),
    day.hours.map((value, hour) => h("td", { "data-level": level(value), title: t("%(hour)s:00, %(count)s sent", { hour: hourName(hour), count: number(value) }) }, h("span", { class: "sr" }, number(value))))));
  return h("table", { class: "heat" }, h("caption", { class: "sr" }, title), h("thead", {}, h("tr", {}, h("td", {}), hours)), h("tbody", {}, rows));
}
