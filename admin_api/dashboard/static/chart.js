// Charts in SVG: bars or lines over time, with a read-out for pointer and keyboard, and the same numbers as a table.

import { h, s, say } from "./dom.js";
import { moment, number, tick } from "./format.js";
import { t } from "./i18n.js";

const HEIGHT = 176;
const TOP = 8;
const BOTTOM = 24;
const LEFT = 44;
const MARKS = 4;
let serial = 0;

/** A round upper end for an axis: 1, 2 or 5 times a power of ten. */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value - 1e-9);
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

/**
 * One chart. `series` are [{key, name, value: (bucket) => number | null}]; `kind` is "bars" (stacked), "area" or "lines";
 * `unit(value)` says a value in words.
 */
export class Chart {
  constructor({ title, about, kind, series, unit = number, emptyWords }) {
    Object.assign(this, { title, about, kind, series, unit, emptyWords });
    this.id = `chart-${(serial += 1)}`;
    this.at = -1;
    this.buckets = [];
    this.plot = h("div", { class: "chart-plot" });
    this.read = h("p", { class: "chart-read", "aria-hidden": "true" });
    this.data = h("div", { class: "chart-data", tabindex: "0", role: "region", "aria-label": t("Numbers: %(title)s", { title }) });
    this.legend = h("ul", { class: "legend-list", "aria-hidden": "true" });
    this.element = h("figure", { class: "chart" },
      h("div", { class: "chart-head" }, h("h3", { id: `${this.id}-name` }, title), this.read), this.plot, this.legend,
      h("details", {}, h("summary", {}, t("Numbers"), h("span", { class: "sr" }, ` ${title}`)), this.data));
    new ResizeObserver(() => this.#draw()).observe(this.plot);
  }

  /** New numbers. */
  show(buckets, step) {
    this.buckets = buckets;
    this.step = step;
    this.values = buckets.map((bucket) => this.series.map((one) => one.value(bucket)));
    this.at = Math.min(this.at, buckets.length - 1);
    this.present = this.series.filter((_, which) => this.values.some((row) => row[which]));
    this.#draw();
    this.#tabulate();
  }

  get #width() { return this.plot.clientWidth || 480; }
  #x(index) { return LEFT + ((index + 0.5) * (this.#width - LEFT)) / this.buckets.length; }
  #y(value) { return TOP + (1 - value / this.top) * (HEIGHT - TOP - BOTTOM); }

  #draw() {
    if (!this.buckets.length) return;
    const sums = this.values.map((row) => row.reduce((sum, value) => sum + (value ?? 0), 0));
    const peaks = this.kind === "bars" ? sums : this.values.flat().map((value) => value ?? 0);
    this.highest = Math.max(0, ...peaks);
    this.top = this.unit === number ? Math.max(roundUp(this.highest), 2) : roundUpTime(this.highest);
    const shapes = this.highest ? this.#shapes() : [s("text", { class: "chart-empty", x: (this.#width + LEFT) / 2, y: HEIGHT / 2 - 8 }, this.emptyWords)];
    this.cursor = s("g", {});
    this.plot.replaceChildren(
      s("svg", { viewBox: `0 0 ${this.#width} ${HEIGHT}`, role: "img", "aria-labelledby": `${this.id}-title ${this.id}-desc` },
        s("title", { id: `${this.id}-title` }, this.title), s("desc", { id: `${this.id}-desc` }, this.#describe()),
        s("g", { "aria-hidden": "true" }, this.#grid(), shapes, this.cursor)),
      this.#touch());
    this.#key();
    this.#point(this.at);
  }

  #grid() {
    const steps = !this.highest ? [0] : this.top <= 2 && this.unit === number ? [0, 1, 2].filter((mark) => mark <= this.top) : [0, this.top / 2, this.top];
    const rows = steps.map((mark) => [s("line", { class: "chart-grid", x1: LEFT, x2: this.#width, y1: this.#y(mark), y2: this.#y(mark) }),
      s("text", { class: "chart-label", x: LEFT - 10, y: this.#y(mark) + 4, "text-anchor": "end" }, this.unit(mark))]);
    const span = this.step * this.buckets.length;
    const marks = Math.max(2, Math.min(MARKS, Math.floor(this.#width / 110)));
    const times = Array.from({ length: marks }, (_, index) => Math.round((index * (this.buckets.length - 1)) / (marks - 1)));
    const anchors = (place) => (place === 0 ? "start" : place === marks - 1 ? "end" : "middle");
    const columns = times.map((index, place) => s("text", { class: "chart-label", x: place === 0 ? LEFT : place === marks - 1 ? this.#width : this.#x(index), y: HEIGHT - 4, "text-anchor": anchors(place) },
      tick(this.buckets[index].start, span)));
    return [...rows.flat(), ...columns];
  }

  #shapes() {
    return this.kind === "bars" ? this.#bars() : this.series.flatMap((one, which) => this.#line(one, which));
  }

  #bars() {
    const room = (this.#width - LEFT) / this.buckets.length;
    const wide = Math.max(1, room - Math.min(3, room * 0.25));
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
      return this.kind === "area" ? [s("path", { class: "area", "data-series": one.key, d: `M${way}L${part.at(-1).x} ${this.#y(0)}L${part[0].x} ${this.#y(0)}Z` }), line] : [line];
    });
  }

  #describe() {
    if (!this.highest) return this.emptyWords;
    return [this.about, t("From %(from)s to %(until)s; highest: %(highest)s.", { from: moment(this.buckets[0].start), until: moment(this.buckets.at(-1).start + this.step), highest: this.unit(this.highest) })].join(" ");
  }

  #key() {
    const named = this.series.length > 1 ? this.present : [];
    this.legend.hidden = !named.length;
    this.legend.replaceChildren(...named.map((one) => h("li", {}, s("svg", { viewBox: "0 0 22 10" }, this.kind === "bars"
      ? s("rect", { class: "bar", "data-series": one.key, x: 5, y: 0, width: 10, height: 10, rx: 2 })
      : s("path", { class: "line", "data-series": one.key, d: "M0 5H22" })), one.name)));
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
    const index = Math.floor(((event.clientX - box.left - LEFT) / (box.width - LEFT)) * this.buckets.length);
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
    const dots = this.kind === "bars" ? [] : this.series.map((one, which) => this.values[index][which] !== null
      && s("circle", { class: "point", "data-series": one.key, cx: this.#x(index), cy: this.#y(this.values[index][which]), r: 4.5 }));
    return this.cursor?.replaceChildren(s("line", { class: "chart-cursor", x1: this.#x(index), x2: this.#x(index), y1: TOP, y2: HEIGHT - BOTTOM }), ...dots.filter(Boolean));
  }

  #say(index) {
    const known = this.series.map((one, which) => [one, this.values[index][which]]).filter(([one, value]) => value !== null && (this.series.length === 1 || this.present.includes(one)));
    const parts = known.map(([one, value]) => (this.series.length === 1 ? this.unit(value) : `${one.name} ${this.unit(value)}`));
    return `${moment(this.buckets[index].start)} · ${parts.join(" · ") || "–"}`;
  }

  #tabulate() {
    const scrolled = this.data.scrollTop;
    const rows = this.buckets.map((bucket, index) => [bucket, this.values[index]]).reverse().filter(([, row]) => row.some((value) => value));
    this.data.replaceChildren(rows.length
      ? h("table", { class: "table" }, h("caption", { class: "sr" }, this.title),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Time")), this.series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
        h("tbody", {}, rows.map(([bucket, row]) => h("tr", {}, h("td", {}, moment(bucket.start)), row.map((value) => h("td", { class: "number" }, value === null ? "–" : this.unit(value)))))))
      : h("p", { class: "muted" }, this.emptyWords));
    this.data.scrollTop = scrolled;
  }
}
