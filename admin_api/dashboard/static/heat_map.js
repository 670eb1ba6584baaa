// Days by hours as a table whose cells are the darker the more was sent.

import { h } from "./dom.js";
import { number } from "./format.js";
import { language, t } from "./i18n.js";

const LEVELS = 5;
const dayFormat = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const hourName = (hour) => String(hour).padStart(2, "0");

/** The name of a day such as 2026-11-28. */
export const dayName = (date) => dayFormat.format(new Date(`${date}T00:00:00Z`));

const told = (hour, value) => (value === null ? t("no data") : t("%(hour)s:00, %(count)s sent", { hour: hourName(hour), count: number(value) }));

/** `days` are [{date, hours: [24 numbers, null where nothing is known]}], oldest first. */
export function heatMap(title, days) {
  const most = Math.max(1, ...days.flatMap((day) => day.hours.map(Number)));
  const level = (value) => (value === null ? "none" : value ? Math.ceil((value / most) * LEVELS) : 0);
  const hours = days[0].hours.map((_, hour) => h("th", { scope: "col" }, h("span", { class: hour % 6 ? "sr" : "hour" }, hourName(hour))));
  const rows = days.map((day) => h("tr", {}, h("th", { scope: "row" }, dayName(day.date)),
    day.hours.map((value, hour) => h("td", { "data-level": level(value), title: told(hour, value) }, h("span", { class: "sr" }, value === null ? t("no data") : number(value))))));
  return h("table", { class: "heat" }, h("caption", { class: "sr" }, title), h("thead", {}, h("tr", {}, h("td", {}), hours)), h("tbody", {}, rows));
}
