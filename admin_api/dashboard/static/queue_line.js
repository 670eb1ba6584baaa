// The next messages as dots on their way into the ring: size and colour tell the priority.

import { $, h, s } from "./dom.js";
import { phone } from "./format.js";
import { t, tn } from "./i18n.js";
import { priorityKey, priorityWord } from "./words.js";

const SIZES = { low: 6, normal: 8, high: 10, urgent: 12 };
const HEIGHT = 40;
const FIRST = 14;
const APART = 34;
//: What is known only by its number is drawn smaller and closer.
const UNKNOWN = 4;
const UNKNOWN_APART = 20;
const ROOM_FOR_REST = 110;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Which dots fit: {known, unknown, rest}; `rest` counts what waits and is not shown. Pure. */
export function fit(messages, waiting, width) {
  const room = width - ROOM_FOR_REST - FIRST;
  const known = Math.min(messages.length, Math.max(1, Math.floor(room / APART) + 1));
  const left = Math.max(0, waiting - known);
  const unknown = known < messages.length ? 0 : Math.min(left, Math.max(0, Math.floor((room - known * APART) / UNKNOWN_APART)));
  return { known, unknown, rest: left - unknown };
}

const tip = (message) => [phone(message.phone_number), priorityWord(message.priority), message.source].filter(Boolean).join(" · ");

export class QueueLine {
  #dots = new Map();
  #svg = s("svg", {}, s("line", { class: "queue-rail" }), s("g", {}), s("text", { class: "queue-more" }));
  #drawn = null;

  /** `ring` is where a dot goes when its message is sent. */
  constructor(place, ring) {
    this.place = place;
    this.ring = ring;
    place.append(this.#svg, legend());
    addEventListener("resize", () => this.#drawn && this.draw(...this.#drawn));
  }

  /** Draw `messages`, of `waiting` that wait in all; the one being sent is not among them. */
  draw(messages, waiting) {
    this.#drawn = [messages, waiting];
    const width = this.place.clientWidth || 600;
    const { known, unknown, rest } = fit(messages, waiting, width);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const rail = $(".queue-rail", this.#svg);
    for (const [name, value] of Object.entries({ x1: 2, x2: width - (rest ? ROOM_FOR_REST - 10 : 2), y1: HEIGHT / 2, y2: HEIGHT / 2 })) rail.setAttribute(name, value);
    const shown = messages.slice(0, known);
    const begin = FIRST + known * APART;
    $("g", this.#svg).replaceChildren(
      ...shown.map((message, place) => this.#dot(message, FIRST + place * APART)),
      ...Array.from({ length: unknown }, (_, place) => s("circle", { class: "queue-dot unknown", cx: begin + place * UNKNOWN_APART, cy: HEIGHT / 2, r: UNKNOWN })));
    const kept = new Set(shown.map((message) => message.message_id));
    for (const id of this.#dots.keys()) if (!kept.has(id)) this.#dots.delete(id);
    const more = $("text", this.#svg);
    more.setAttribute("x", width - 2);
    more.setAttribute("y", HEIGHT / 2);
    more.textContent = rest ? tn("%(count)s more", "%(count)s more", rest) : "";
  }

  /** A message's dot is the same element for as long as it is shown, so that it moves on. */
  #dot(message, x) {
    const key = priorityKey(message.priority);
    const dot = this.#dots.get(message.message_id) ?? s("circle", { class: "queue-dot", "data-priority": key, cy: HEIGHT / 2, r: SIZES[key], cx: x }, s("title", {}, tip(message)));
    dot.setAttribute("cx", x);
    this.#dots.set(message.message_id, dot);
    return dot;
  }

  /** Let the message's dot travel into the ring. */
  leave(messageId) {
    const dot = this.#dots.get(messageId);
    if (!dot || still.matches || document.hidden) return;
    const from = dot.getBoundingClientRect();
    const to = this.ring.getBoundingClientRect();
    const home = this.place.getBoundingClientRect();
    const ghost = h("span", { class: "queue-ghost", "data-priority": dot.dataset.priority });
    Object.assign(ghost.style, { left: `${from.left - home.left}px`, top: `${from.top - home.top}px`, width: `${from.width}px`, height: `${from.height}px` });
    this.place.append(ghost);
    const way = `translate(${to.left + to.width / 2 - from.left - from.width / 2}px, ${to.top + to.height / 2 - from.top - from.height / 2}px)`;
    const travel = ghost.animate([{ transform: "none" }, { transform: `${way} scale(1.4)`, opacity: 1, offset: 0.85 }, { transform: `${way} scale(0)`, opacity: 0 }], { duration: 700, easing: "cubic-bezier(.5,0,.3,1)" });
    travel.finished.catch(() => {}).then(() => ghost.remove());
  }
}

const legend = () => h("p", { class: "queue-legend" }, t("Next first:"), " ", Object.keys(SIZES).reverse().map((key) => h("span", { class: "queue-key", "data-priority": key }, priorityWord(key))));

