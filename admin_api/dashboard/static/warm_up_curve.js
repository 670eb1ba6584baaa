// How many new contacts a number may write to on each of its first days, as a small picture with today in it.

import { h, s } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";

const WIDE = 320;
const HIGH = 84;
const TOP = 16;
const FOOT = 16;
//: Days that are drawn; what follows is the last cap.
const MOST = 21;
//: Digits that fit above a bar.
const DIGIT = 6.5;

/** Where the bars stand: [{day, cap, x, y, wide, high, isToday, isPast}]. Pure. */
export function bars({ day, caps }) {
  const days = caps.slice(0, MOST);
  // After the ramp every day has the last cap: the picture keeps its shape, and today stands at its end.
  const today = Math.min(day, days.length);
  const highest = Math.max(1, ...days);
  const room = WIDE / days.length;
  return days.map((cap, index) => {
    const high = Math.max(2, (cap / highest) * (HIGH - TOP - FOOT));
    return { day: index + 1, cap, x: index * room + room * 0.1, y: HIGH - FOOT - high, wide: room * 0.8, high, isToday: index + 1 === today, isPast: index + 1 < today };
  });
}

/** The picture, with the same in words for those who do not see it. */
export function warmUpCurve({ day, caps }) {
  const drawn = bars({ day, caps });
  const today = drawn.find((one) => one.isToday) ?? drawn.at(-1);
  const isNamed = (one) => one.isToday || one.day === 1 || one.day === drawn.length;
  // Labels of neighbours that would touch: today's comes first.
  const fits = (one) => one.isToday || Math.abs(one.x - today.x) > Math.max(String(one.cap).length, String(today.cap).length) * DIGIT + 6;
  return h("figure", { class: "warm-up" },
    s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": t("New contacts a day while the number warms up: %(caps)s. Today is day %(day)s.", { caps: caps.map(number).join(", "), day }) },
      drawn.map((one) => [
        s("rect", { class: "warm-up-bar", "data-day": one.isToday ? "today" : one.isPast ? "past" : "ahead", x: one.x, y: one.y, width: one.wide, height: one.high, rx: Math.min(3, one.wide / 4) }),
        isNamed(one) && fits(one) && s("text", { class: "warm-up-cap", x: one.x + one.wide / 2, y: one.y - 4 }, number(one.cap)),
        isNamed(one) && fits(one) && s("text", { class: "warm-up-day", x: one.x + one.wide / 2, y: HIGH - 3 }, one.isToday ? t("today") : number(one.day)),
      ])),
    h("figcaption", {}, tn("Warm-up, day %(day)s: at most %(count)s new contact today.", "Warm-up, day %(day)s: at most %(count)s new contacts today.", today.cap, { day: number(day) })));
}
