// The next messages as dots on their way into the ring: size and colour tell the priority.

import { s } from "./dom.js";
import { tn } from "./i18n.js";
import { priorityKey } from "./words.js";

const SIZES = { low: 7, normal: 9, high: 11, urgent: 13 };
const HEIGHT = 52;
const FIRST = 20;
const APART = 40;

/** Draw the line anew. */
export function drawLine(place, messages, queued) {
  place.hidden = !messages.length;
  const width = place.clientWidth || 600;
  const room = Math.max(1, Math.floor((width - 110) / APART));
  const shown = messages.slice(0, room);
  const rest = Math.max(0, queued - shown.length);
  place.replaceChildren(s("svg", { viewBox: `0 0 ${width} ${HEIGHT}` },
    s("line", { class: "queue-rail", x1: 2, x2: width - (rest ? 90 : 2), y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    shown.map((message, place) => s("circle", {
      class: "queue-dot", "data-priority": priorityKey(message.priority), cx: FIRST + place * APART, cy: HEIGHT / 2, r: SIZES[priorityKey(message.priority)],
    })),
    rest > 0 && s("text", { class: "queue-more", x: width - 2, y: HEIGHT / 2 }, tn("%(count)s more", "%(count)s more", rest))));
}
