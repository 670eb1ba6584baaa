// Numbers and times as people say them.

import { language, t, tn } from "./i18n.js";

const clockFormat = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const fullFormat = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "medium" });
const minuteFormat = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekdayFormat = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short" });
const date = (seconds) => new Date(seconds * 1000);
const DAY = 86400;

export const number = (value) => (value === null || value === undefined ? "–" : value.toLocaleString(language));
export const clock = (seconds) => clockFormat.format(date(seconds));
export const full = (seconds) => fullFormat.format(date(seconds));

/** An E.164 number as Indonesians write it; masked and foreign ones stay as they are. */
export const phone = (text) => (text ?? "").replace(/^\+62(8\d{2})(\d{3,4})(\d{3,})$/, "+62 $1-$2-$3");

/** The time of day, with the date when it was not today. */
export function moment(seconds) {
  const then = date(seconds);
  return then.toDateString() === new Date().toDateString() ? clockFormat.format(then) : dayFormat.format(then);
}

/** A time to come within a sentence: “at 14:00”, “tomorrow at 08:00”, “on Mon, 1 Dec at 08:00”. */
export function atTime(seconds, now = Date.now() / 1000) {
  const then = date(seconds);
  const time = minuteFormat.format(then);
  if (then.toDateString() === date(now).toDateString()) return t("at %(time)s", { time });
  const next = date(now);
  next.setDate(next.getDate() + 1);
  return then.toDateString() === next.toDateString() ? t("tomorrow at %(time)s", { time }) : t("on %(day)s at %(time)s", { day: weekdayFormat.format(then), time });
}

/** A part of a whole, never rounded up to all of it: “98.7 %”. */
export const percent = (part) => (part === null || part === undefined ? "–" : (Math.floor(part * 1000) / 1000).toLocaleString(language, { style: "percent", maximumFractionDigits: 1 }));

/** A duration, as exact as people want it. */
export function duration(seconds) {
  const whole = seconds < 9.5 ? Math.max(0, seconds) : Math.round(seconds);
  if (whole < 10) return t("%(n)s s", { n: whole.toLocaleString(language, { maximumFractionDigits: whole < 1 ? 1 : 0 }) });
  if (whole < 60) return t("%(n)s s", { n: whole });
  if (whole < 600 && whole % 60) return t("%(m)s min %(s)s s", { m: Math.floor(whole / 60), s: whole % 60 });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("%(n)s min", { n: minutes });
  if (whole < 2 * DAY) return minutes % 60 ? t("%(h)s h %(m)s min", { h: Math.floor(minutes / 60), m: minutes % 60 }) : t("%(n)s h", { n: minutes / 60 });
  return tn("%(count)s day", "%(count)s days", Math.round(whole / DAY));
}

/** “3 min ago”, or when it is ahead “in 3 min”. */
export function ago(seconds, now = Date.now() / 1000) {
  const passed = now - seconds;
  return passed < 0 ? t("in %(time)s", { time: duration(-passed) }) : t("%(time)s ago", { time: duration(passed) });
}

/** Seconds of the clock from the value of a datetime-local field, and back. */
export const fromField = (value) => (value ? new Date(value).getTime() / 1000 : undefined);
export function toField(seconds) {
  const then = date(Number(seconds));
  return Number.isNaN(then.getTime()) ? "" : new Date(then.getTime() - then.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
