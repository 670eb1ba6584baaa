// How the stretches of a chart are called, and which of them the axis names.

import { language } from "./i18n.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const BETWEEN = [5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];

const clockFormat = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const bothFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = (seconds) => new Date(seconds * 1000);

/** Seconds of the reader's clock since some midnight, so that what is round on a wall is round here. */
const wall = (seconds) => seconds - date(seconds).getTimezoneOffset() * 60;

/** Whether the stretches lie on more than one day, so that a time of day alone says too little. */
export const areOnSeveralDays = (buckets) => buckets.length > 0 && date(buckets[0].start).toDateString() !== date(buckets.at(-1).end - 1).toDateString();

/** The name of a stretch: “12:05”, or where there are several days “28 Nov, 12:00–15:00”, or “28 Nov”. */
export function stretchName(bucket, step, several) {
  if (step >= DAY) return dateFormat.format(date(bucket.start));
  const start = (several ? bothFormat : clockFormat).format(date(bucket.start));
  return step > MINUTE ? `${start}–${clockFormat.format(date(bucket.end))}` : start;
}

/** Places of the axis that have a name: [[index, words]], at most `most`, at round times, with the date where a day begins. */
export function marks(buckets, step, most) {
  const span = buckets.length * step;
  const apart = BETWEEN.find((seconds) => seconds >= step && span / seconds <= most) ?? 28 * DAY;
  return buckets.flatMap(({ start }, index) => {
    if (wall(start) % apart) return [];
    const day = apart >= DAY || date(start).getHours() + date(start).getMinutes() === 0;
    return [[index, (day ? dateFormat : clockFormat).format(date(start))]];
  });
}
