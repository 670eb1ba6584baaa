// The state of everything as the news tell it, shown where every page shows it: pill, tab, favicon, notices.

import { hold, release } from "./availability.js";
import { showDead } from "./badge.js";
import { $, h, say } from "./dom.js";
import { showFavicon } from "./favicon.js";
import { gapsOf } from "./honesty.js";
import { on, tell } from "./news.js";
import { hindrance, isOld, overall, tabTitle, tell as inWords } from "./overall.js";

const known = { state: "", trouble: null, status: null, received: performance.now(), lostAt: 0 };
let now = overall(known);
let base = document.title;
let painted = "";

/** Seconds since the last status, or since the page was opened. */
export const age = () => (performance.now() - known.received) / 1000;

/** Begin; `hasHeadline` on the page that tells the state in its own headline. */
export function watch({ hasHeadline }) {
  const look = () => {
    now = overall({ ...known, age: document.hidden ? 0 : age() });
    paint(hasHeadline);
    tell("overall", { ...now, isOld: isOld(now), words: inWords(now, known) });
  };
  on("status", (status) => { Object.assign(known, { status, trouble: null, received: performance.now() }); look(); });
  on("trouble", (trouble) => {
    known.trouble = { ...trouble, since: trouble.since ?? known.trouble?.since ?? (known.status ? Date.now() / 1000 : null) };
    look();
  });
  on("state", (state) => {
    if (state === "lost" && known.state !== "lost") known.lostAt = Date.now() / 1000;
    known.state = state;
    look();
  });
  // A hidden page asks seldom: what it knows is no older for that when somebody looks again.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && known.status) known.received = performance.now(); });
  setInterval(look, 1000);
}

function paint(hasHeadline) {
  const { status } = known;
  const pill = $("#stream");
  pill.dataset.state = now.kind;
  pill.dataset.tone = now.tone;
  say(pill, now.words);
  document.body.dataset.overall = now.kind;
  document.body.toggleAttribute("data-old", isOld(now));
  if (status) showDead(status.failed_messages);
  title(status?.failed_messages ?? 0);
  showFavicon(now.tone, now.kind);
  notices(hasHeadline);
  if (status) $("#sandbox").hidden = !(status.is_sandbox ?? status.provider === "sandbox");
  const why = hindrance(now);
  if (why) hold(why);
  else release();
}

/** A page may have given itself another title meanwhile. */
function title(dead) {
  if (document.title !== painted) base = document.title;
  const next = tabTitle(now, dead, base);
  if (document.title !== next) document.title = next;
  painted = next;
}

function notices(hasHeadline) {
  const told = hasHeadline ? null : inWords(now, known);
  const all = [
    ...(told ? [[[h("b", {}, told[0]), " ", ...told[1].map((word) => (word.code ? h("code", {}, word.code) : word))], now.tone === "bad" ? "bad" : ""]] : []),
    ...(isOld(now) ? [] : gapsOf(known.status)),
  ];
  const key = JSON.stringify([told, all.map(([words, tone]) => (Array.isArray(words) ? tone : [words, tone]))]);
  const place = $("#state-notices");
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(...all.map(([words, tone]) => h("p", { class: tone ? `notice ${tone}` : "notice" }, words)));
}
