// The ring that empties until the next send. Between two readings of the status it goes on by itself.

import { s, say } from "./dom.js";
import { language, t } from "./i18n.js";

const RADIUS = 84;
const ROUND = 2 * Math.PI * RADIUS;
const COUNTING = new Set(["pause", "throttled", "unavailable", "retry", "nothing-waits", "daily_cap", "hourly_cap"]);
const GLYPHS = {
  __proto__: null,
  paused: "M84 76v48M116 76v48",
  "no-consumer": "M100 70v36M100 128v.01",
  "nothing-waits": "M76 102l17 17 32-38",
  lost: "M100 70v36M100 128v.01",
};

/** Seconds until the next send may begin, as far as anybody can tell; an empty lane has a pause, too. */
export function waitOf(status) {
  if (status?.next_send_reason !== "nothing-waits") return status?.next_send_in ?? null;
  const rest = status.pause_left ?? (status.last_sent_at && status.delay ? status.last_sent_at + status.delay - status.at : 0);
  return rest > 0 ? rest : null;
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** A ring in `place`; `tick(left)` is called about once a second with what is left, in seconds. */
export class Countdown {
  #left = s("circle", { class: "ring-left", cx: 100, cy: 100, r: RADIUS, "stroke-dasharray": `${ROUND} ${ROUND}` });
  #glyph = s("path", { class: "ring-glyph", d: "" });
  #number = s("text", { class: "ring-number", x: 100, y: 112 });
  #unit = s("text", { class: "ring-unit", x: 100, y: 138 });
  #status = null;
  #ends = 0;
  #whole = 1;
  #second = null;

  constructor(place, tick) {
    this.tick = tick;
    place.append(s("svg", { viewBox: "0 0 200 200" }, s("circle", { class: "ring-disc", cx: 100, cy: 100, r: 70 }),
      s("circle", { class: "ring-track", cx: 100, cy: 100, r: RADIUS }), s("g", { transform: "rotate(-90 100 100)" }, this.#left), this.#glyph, this.#number, this.#unit));
    const turn = () => {
      this.#paint();
      if (still.matches) setTimeout(turn, 1000);
      else requestAnimationFrame(turn);
    };
    turn();
  }

  /** What is left, in seconds; null where nobody can tell. */
  get left() {
    return waitOf(this.#status) === null ? null : Math.max(0, (this.#ends - performance.now()) / 1000);
  }

  /** A new reading of the status. */
  show(status) {
    const left = waitOf(status) ?? 0;
    const newWait = status.next_send_reason !== this.#status?.next_send_reason || left > this.#whole;
    if (newWait) this.#whole = Math.max(left, status.next_send_reason === "pause" || status.next_send_reason === "nothing-waits" ? status.delay ?? 0 : 0, 0.001);
    this.#status = status;
    this.#ends = performance.now() + 1000 * left;
    this.#second = null;
    this.#paint();
  }

  /** Nobody knows how the lane is doing: no countdown is better than a false one. */
  lose() {
    if (this.#status?.next_send_reason !== "lost") this.show({ next_send_reason: "lost", next_send_in: null });
  }

  #paint() {
    const status = this.#status;
    if (!status) return;
    const reason = status.next_send_reason;
    const counting = COUNTING.has(reason) && this.left > 0;
    const busy = reason === "sending" || reason === "due" || (COUNTING.has(reason) && !counting && reason !== "nothing-waits");
    const share = counting ? Math.min(1, this.left / this.#whole) : busy ? 0.22 : reason === "paused" ? 0 : 1;
    this.#left.setAttribute("stroke-dashoffset", String(ROUND * (1 - share)));
    this.#left.classList.toggle("busy", busy);
    if (this.#left.getAttribute("opacity") !== (share ? "1" : "0")) this.#left.setAttribute("opacity", share ? "1" : "0");
    this.#write(counting, busy ? "" : GLYPHS[reason] ?? "");
  }

  #write(counting, glyph) {
    const second = counting ? Math.ceil(this.left) : 0;
    if (this.#glyph.getAttribute("d") !== (counting ? "" : glyph)) this.#glyph.setAttribute("d", counting ? "" : glyph);
    if (second === this.#second) return;
    this.#second = second;
    const minutes = second >= 100;
    this.#number.classList.toggle("long", minutes);
    say(this.#number, counting ? (minutes ? clockLike(second) : second.toLocaleString(language)) : "");
    say(this.#unit, counting ? (minutes ? t("min : s") : tSeconds(second)) : "");
    this.tick(this.left);
  }
}

const tSeconds = (second) => (second === 1 ? t("second") : t("seconds"));

function clockLike(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
