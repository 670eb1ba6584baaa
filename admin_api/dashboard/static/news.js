// What the server tells of the lane, for every module of a page: one stream serves them all (see app.js).

const bus = new EventTarget();
const latest = new Map();

/**
 * Kinds of news: `status` (as `GET /status`), `event` (one event of the lane), `past` (one from before the page was
 * opened), `trouble` ({detail, code, since}: why the broker does not answer; the next status ends it),
 * `state` ("live" | "polling" | "lost": of the connection to the admin server).
 */
export function tell(kind, value) {
  latest.set(kind, value);
  bus.dispatchEvent(new CustomEvent(kind, { detail: value }));
}

/** The last news of a kind; undefined before the first. */
export const last = (kind) => latest.get(kind);

/** Call `listener(value)` for each piece of news of a kind; returns what ends that. */
export function on(kind, listener) {
  const hear = (news) => listener(news.detail);
  bus.addEventListener(kind, hear);
  return () => bus.removeEventListener(kind, hear);
}

/** Call `refresh()` after events, once for those that come close together, and never while the page is hidden. */
export function onChange(refresh, { after = 1000, matters = () => true } = {}) {
  let timer = 0;
  const later = () => {
    timer = 0;
    if (document.hidden) return;
    refresh();
  };
  const end = on("event", (event) => { if (matters(event) && !timer) timer = setTimeout(later, after); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !timer) timer = setTimeout(later, after); });
  return end;
}

/** Call `refresh()` when what is shown was old, and is not any more. */
export function onReturn(refresh) {
  let wasOld = false;
  return on("overall", ({ isOld }) => {
    if (wasOld && !isOld) refresh();
    wasOld = isOld;
  });
}
