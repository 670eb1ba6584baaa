// A row of small bars, for a cell of a table.

import { s } from "./dom.js";

const WIDE = 120;
const HIGH = 24;

/** `words` say the same for those who do not see it. */
export function sparkLine(values, words) {
  const most = Math.max(1, ...values);
  const room = WIDE / values.length;
  return s("svg", { class: "spark", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": words },
    values.map((value, index) => value > 0 && s("rect", { x: index * room, y: HIGH - Math.max(1.5, (value / most) * HIGH), width: Math.max(1, room - 1), height: Math.max(1.5, (value / most) * HIGH) })));
}
