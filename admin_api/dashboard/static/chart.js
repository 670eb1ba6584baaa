// Charts in SVG: bars, an area or ranges over time, with a read-out for pointer and keyboard, and the same numbers as a table.

import { h, s, say } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { areOnSeveralDays, marks, stretchName } from "./time_marks.js";

const HEIGHT = 176;
const TOP = 8;
const BOTTOM = 24;
const NARROWEST = 44;
//: Pixels of a letter, and of a mark of the axis with the room beside it.
const LETTER = 6.6;
const MARK = 64;
let serial = 0;

/** A round upper end for an axis, of which the half is a whole number too. */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value - 1e-9);
}

/** The same for seconds, so that its half is a time that people use, too. */
const TIMES = [1, 2, 10, 20, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 345600, 864000];
export const roundUpTime = (value) => TIMES.find((time) => time >= value) ?? roundUp(value);

/** Where a stretch of line is broken by what is not known, it begins again. */
function stretches(points) {
  const parts = [[]];
  for (const point of points) point.value === null ? parts.push([]) : parts.at(-1).push(point);
  return parts.filter((part) => part.length);
}

/** Runs of indexes for which something is true: [[first, last]]. */
function runs(flags) {
  const found = [];
  flags.forEach((flag, index) => {
    if (!flag) return;
    if (found.at(-1)?.[1] === index - 1) found.at(-1)[1] = index;
    else found.push([index, index]);
  });
  return found;
}

/**
 * One chart. `series` are [{key, name, value: (bucket) => number | null, most?: (bucket) => number}]; `kind` is "bars" (stacked),
 * "area" or "ranges" (from `value` to `most`); `unit(value)` says a value in words; a bucket of which nothing is known is a
 * gap. `name(bucket)` says what a bucket is called, where that is not its time.
 */
export class Chart {
  constructor({ title, about, kind, series, unit = number, emptyWords, note, name }) {
    Object.assign(this, { title, about, kind, series, unit, emptyWords, name });
    this.id = `chart-${(serial += 1)}`;
    this.at = -1;
    this.buckets = [];
    this.plot = h("div", { class: "chart-plot" });
    this.read = h("p", { class: "chart-read", "aria-hidden": "true" });
    this.data = h("div", { class: "chart-data", tabindex: "0", role: "region", "aria-label": t("Numbers: %(title)s", { title }) });
    this.legend = h("ul", { class: "legend-list", "aria-hidden": "true" });
    this.element = h("figure", { class: "chart" },
      h("div", { class: "chart-head" }, h("h3", { id: `${this.id}-name` }, title), this.read), note && h("p", { class: "chart-note" }, note), this.plot, this.legend,
      h("details", {}, h("summary", {}, t("Numbers"), h("span", { class: "sr" }, ` ${title}`)), this.data));
    new ResizeObserver(() => this.#draw()).observe(this.plot);
  }

  /** New numbers. */
  show(buckets, step) {
    this.buckets = buckets;
    this.step = step;
    this.several = areOnSeveralDays(buckets);
    this.known = buckets.map((bucket) => bucket.sent !== null);
    this.values = buckets.map((bucket) => this.series.map((one) => one.value(bucket)));
    this.tops = buckets.map((bucket, index) => this.series.map((one, which) => one.most?.(bucket) ?? this.values[index][which]));
    this.at = Math.min(this.at, buckets.length - 1);
    this.present = this.series.filter((_, which) => this.values.some((row) => row[which]));
    this.#draw();
    this.#tabulate();
  }

  get #width() { return this.plot.clientWidth || 480; }
  get #room() { return (this.#width - this.left) / this.buckets.length; }
  get #empty() { return this.known.some(Boolean) || !this.known.length ? this.emptyWords : t("No data for this time."); }
  #x(index) { return this.left + (index + 0.5) * this.#room; }
  #y(value) { return TOP + (1 - value / this.top) * (HEIGHT - TOP - BOTTOM); }
  #called(index) { return this.name?.(this.buckets[index]) ?? stretchName(this.buckets[index], this.step, this.several); }

  #draw() {
    if (!this.buckets.length) return;
    const sums = this.values.map((row) => row.reduce((sum, value) => sum + (value ?? 0), 0));
    const peaks = this.kind === "bars" ? sums : this.tops.flat().map((value) => value ?? 0);
    this.highest = Math.max(0, ...peaks);
    this.top = this.unit === number ? Math.max(roundUp(this.highest), 2) : roundUpTime(this.highest);
    this.levels = !this.highest ? [0] : this.top <= 2 && this.unit === number ? [0, 1, 2].filter((mark) => mark <= this.top) : [0, this.top / 2, this.top];
    this.left = Math.max(NARROWEST, 12 + LETTER * Math.max(...this.levels.map((level) => this.unit(level).length)));
    const shapes = this.highest ? this.#shapes() : [s("text", { class: "chart-empty", x: (this.#width + this.left) / 2, y: HEIGHT / 2 - 8 }, this.#empty)];
    this.cursor = s("g", {});
    this.plot.replaceChildren(
      s("svg", { viewBox: `0 0 ${this.#width} ${HEIGHT}`, role: "img", "aria-labelledby": `${this.id}-title ${this.id}-desc` },
        s("title", { id: `${this.id}-title` }, this.title), s("desc", { id: `${this.id}-desc` }, this.#describe()),
        s("g", { "aria-hidden": "true" }, this.#gaps(), this.#grid(), shapes, this.cursor)),
      this.#touch());
    this.#key();
    this.#point(this.at);
  }

  /** Where nothing is known, no zero is drawn. */
  #gaps() {
    const flags = this.known.map((known) => !known);
    return runs(flags).map(([first, last]) => s("rect", { class: "chart-gap", x: this.left + first * this.#room, y: TOP, width: (last - first + 1) * this.#room, height: HEIGHT - TOP - BOTTOM }));
  }

  #grid() {
    const rows = this.levels.map((mark) => [s("line", { class: "chart-grid", x1: this.left, x2: this.#width, y1: this.#y(mark), y2: this.#y(mark) }),
      s("text", { class: "chart-label", x: this.left - 10, y: this.#y(mark) + 4, "text-anchor": "end" }, this.unit(mark))]);
    return [...rows.flat(), ...this.#marks().flatMap(([index, words]) => this.#mark(index, words))];
  }

  #marks() {
    const most = Math.max(2, Math.floor((this.#width - this.left) / MARK));
    if (!this.name) return marks(this.buckets, this.step, most);
    const every = Math.ceil(this.buckets.length / most);
    return this.buckets.flatMap((_, index) => (index % every ? [] : [[index, this.#called(index)]]));
  }

  #mark(index, words) {
    const x = this.name ? this.#x(index) : this.left + index * this.#room;
    const half = (words.length * LETTER) / 2;
    const anchor = x + half > this.#width ? "end" : x - half < this.left - NARROWEST ? "start" : "middle";
    return [s("line", { class: "chart-mark", x1: x, x2: x, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
      s("text", { class: "chart-label", x: anchor === "end" ? this.#width : x, y: HEIGHT - 4, "text-anchor": anchor }, words)];
  }

  #shapes() {
    if (this.kind === "bars") return this.#bars();
    return this.kind === "ranges" ? this.#ranges() : this.series.flatMap((one, which) => this.#line(one, which));
  }

  #bars() {
    const wide = Math.max(1, this.#room - Math.min(3, this.#room * 0.25));
    return this.values.flatMap((row, index) => {
      let below = 0;
      return row.map((value, which) => {
        if (!value) return null;
        const top = this.#y(below + value);
        const tall = this.#y(below) - top;
        below += value;
        return s("rect", { class: "bar", "data-series": this.series[which].key, x: this.#x(index) - wide / 2, y: top, width: wide, height: Math.max(1, tall), rx: Math.min(2, wide / 3) });
      });
    });
  }

  #line(one, which) {
    const points = this.values.map((row, index) => ({ x: this.#x(index), value: row[which] }));
    return stretches(points).flatMap((part) => {
      const way = part.map(({ x, value }) => `${x.toFixed(1)} ${this.#y(value).toFixed(1)}`).join("L");
      if (part.length === 1) return s("circle", { class: "point", "data-series": one.key, cx: part[0].x, cy: this.#y(part[0].value), r: 3.5 });
      const line = s("path", { class: "line", "data-series": one.key, d: `M${way}` });
      return [s("path", { class: "area", "data-series": one.key, d: `M${way}L${part.at(-1).x} ${this.#y(0)}L${part[0].x} ${this.#y(0)}Z` }), line];
    });
  }

  /** Where the ranges of one bucket stand beside each other. */
  #beside(index, which) {
    const place = this.present.indexOf(this.series[which]);
    return this.#x(index) + (place - (this.present.length - 1) / 2) * Math.min(5, this.#room / Math.max(1, this.present.length));
  }

  #ranges() {
    const r = Math.max(2.25, Math.min(3, this.#room / 3));
    return this.values.flatMap((row, index) => row.flatMap((value, which) => {
      if (value === null) return [];
      const x = this.#beside(index, which);
      const key = this.series[which].key;
      return [s("line", { class: "range", "data-series": key, x1: x, x2: x, y1: this.#y(value), y2: this.#y(this.tops[index][which]) }),
        s("circle", { class: "dot", "data-series": key, cx: x, cy: this.#y(value), r })];
    }));
  }

  #describe() {
    if (!this.highest) return this.#empty;
    return [this.about, t("From %(from)s to %(until)s; highest: %(highest)s.", { from: this.#called(0), until: this.#called(this.buckets.length - 1), highest: this.unit(this.highest) })].join(" ");
  }

  #key() {
    const named = this.series.length > 1 ? this.present : [];
    const gap = this.known.some((known) => !known) && this.known.some(Boolean);
    this.legend.hidden = !named.length && !gap;
    this.legend.replaceChildren(...named.map((one) => h("li", {}, s("svg", { viewBox: "0 0 22 10" }, this.#sample(one)), one.name)),
      ...(gap ? [h("li", {}, s("svg", { viewBox: "0 0 22 10" }, s("rect", { class: "chart-gap", x: 1, y: 0, width: 20, height: 10 })), t("no data"))] : []));
  }

  #sample(one) {
    if (this.kind === "bars") return s("rect", { class: "bar", "data-series": one.key, x: 5, y: 0, width: 10, height: 10, rx: 2 });
    return [s("line", { class: "range", "data-series": one.key, x1: 11, x2: 11, y1: 7, y2: 0 }), s("circle", { class: "dot", "data-series": one.key, cx: 11, cy: 7, r: 3 })];
  }

  #touch() {
    this.slider = h("div", {
      class: "chart-touch", tabindex: "0", role: "slider", "aria-label": t("Read the chart: %(title)s", { title: this.title }), "aria-orientation": "horizontal",
      "aria-valuemin": 0, "aria-valuemax": this.buckets.length - 1,
      onpointermove: (event) => this.#point(this.#under(event)), onpointerdown: (event) => this.#point(this.#under(event)),
      onpointerleave: () => { if (document.activeElement !== this.slider) this.#point(-1); },
      onfocus: () => this.#point(this.at < 0 ? this.buckets.length - 1 : this.at), onblur: () => this.#point(-1),
      onkeydown: (event) => this.#press(event),
    });
    if (this.plot.contains(document.activeElement)) queueMicrotask(() => this.slider.focus({ preventScroll: true }));
    return this.slider;
  }

  #under(event) {
    const box = this.plot.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left - this.left) / (box.width - this.left)) * this.buckets.length);
    return Math.max(0, Math.min(this.buckets.length - 1, index));
  }

  #press(event) {
    const last = this.buckets.length - 1;
    const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, ArrowDown: this.at - 1, ArrowUp: this.at + 1, Home: 0, End: last, PageUp: this.at + 10, PageDown: this.at - 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#point(Math.max(0, Math.min(last, to)));
  }

  #point(index) {
    this.at = index;
    const shown = Math.max(index, 0);
    this.slider?.setAttribute("aria-valuenow", index < 0 ? this.buckets.length - 1 : shown);
    this.slider?.setAttribute("aria-valuetext", this.#say(index < 0 ? this.buckets.length - 1 : shown));
    say(this.read, index < 0 ? "" : this.#say(index));
    if (index < 0) return this.cursor?.replaceChildren();
    const dots = this.kind !== "area" ? [] : this.series.map((one, which) => this.values[index][which] !== null
      && s("circle", { class: "point", "data-series": one.key, cx: this.#x(index), cy: this.#y(this.values[index][which]), r: 4.5 }));
    return this.cursor?.replaceChildren(s("line", { class: "chart-cursor", x1: this.#x(index), x2: this.#x(index), y1: TOP, y2: HEIGHT - BOTTOM }), ...dots.filter(Boolean));
  }

  #say(index) {
    if (!this.known[index]) return [this.#called(index), t("no data")].join(" · ");
    const known = this.series.map((one, which) => [one, this.#words(index, which)]).filter(([one, words]) => words && (this.series.length === 1 || this.present.includes(one)));
    const parts = known.map(([one, words]) => (this.series.length === 1 ? words : `${one.name} ${words}`));
    return `${this.#called(index)} · ${parts.join(" · ") || "–"}`;
  }

  /** One value in words; nothing where there is none. */
  #words(index, which) {
    const [value, top] = [this.values[index][which], this.tops[index][which]];
    if (value === null) return "";
    const [low, high] = [this.unit(value), this.unit(top)];
    return low === high ? low : `${low} – ${high}`;
  }

  #tabulate() {
    const scrolled = this.data.scrollTop;
    const rows = this.buckets.map((_, index) => index).reverse().filter((index) => this.values[index].some((value) => value));
    this.data.replaceChildren(rows.length
      ? h("table", { class: "table" }, h("caption", { class: "sr" }, this.title),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Time")), this.series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
        h("tbody", {}, rows.map((index) => h("tr", {}, h("td", {}, this.#called(index)), this.series.map((_, which) => h("td", { class: "number" }, this.#words(index, which) || "–"))))))
      : h("p", { class: "muted" }, this.#empty));
    this.data.scrollTop = scrolled;
  }
}
