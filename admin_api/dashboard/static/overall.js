// The one state that pill, tab title, favicon, notices and headline all tell. Pure: news in, state out.

import { clock } from "./format.js";
import { senderTrouble } from "./hold_words.js";
import { capital, said, t } from "./i18n.js";
import { person } from "./words.js";

//: Seconds without a status after which the numbers are no longer called live.
const SILENT = 15;

//: Tone: "good" all is well, "held" it waits and goes on by itself or when told to, "bad" a person is needed.
const KINDS = {
  off: ["off", "", ""],
  lost: ["bad", t("No connection"), "✕"],
  away: ["bad", t("Broker away"), "✕"],
  error: ["bad", t("Server error"), "✕"],
  "no-consumer": ["bad", t("No consumer"), "⚠"],
  silent: ["held", t("No news"), "…"],
  paused: ["held", t("Paused"), "⏸"],
  unavailable: ["held", t("Provider away"), "⏸"],
  throttled: ["held", t("Held back"), "⏸"],
  capped: ["held", t("Limit reached"), "⏸"],
  polling: ["held", t("Reconnecting"), "…"],
  live: ["good", t("Live"), ""],
};
const OF_THE_BROKER = new Set(["broker-away", "broker-unavailable", ""]);

/**
 * The state of everything.
 *
 * `state` is that of the connection to the admin server, `trouble` the last one since the last status or null,
 * `status` the last status or null, `age` how old that is in seconds. Returns {kind, tone, words, glyph}.
 */
export function overall({ state, trouble, status, age = 0 }) {
  const kind = kindOf({ state, trouble, status, age });
  const [tone, words, glyph] = KINDS[kind];
  return { kind, tone, words, glyph };
}

function kindOf({ state, trouble, status, age }) {
  if (state === "lost") return "lost";
  if (trouble) return OF_THE_BROKER.has(trouble.code ?? "") ? "away" : "error";
  if (!status) return state === "polling" ? "polling" : "off";
  if (age > SILENT) return "silent";
  const reason = status.next_send_reason;
  if (reason === "no-consumer" || status.running === false) return "no-consumer";
  if (status.paused) return "paused";
  if (reason === "unavailable" || reason === "throttled") return reason;
  if (/^(daily|hourly)_cap$/.test(reason)) return "capped";
  return state === "polling" ? "polling" : "live";
}

/** Whether what is shown is old, and no forecast holds. */
export const isOld = ({ kind }) => kind === "lost" || kind === "away" || kind === "error" || kind === "silent";

/** Why nothing can be done at the moment; empty when it can. */
export function hindrance({ kind }) {
  if (kind === "away") return t("Not possible while the broker does not answer.");
  return kind === "lost" ? t("Not possible without a connection to the admin server.") : "";
}

/** The tab's title: what is not as it should be comes first, then the page's own title. */
export function tabTitle(now, dead, page) {
  const signs = [now.tone === "good" || now.tone === "off" ? "" : `${now.glyph} ${now.words}`, dead ? t("%(n)s dead", { n: dead }) : ""].filter(Boolean);
  return signs.length ? `${signs.join(" · ")} – ${page}` : page;
}

const since = (seconds) => (seconds ? clock(seconds).slice(0, 5) : "");
/** A command, as it is typed on the server. */
export const code = (words) => ({ code: `${globalThis.document?.body.dataset.command ?? "antrian"} ${words}` });

/** The state in one calm piece: [headline, [words or {code}]]; null where there is nothing to tell. */
export function tell({ kind }, { status, trouble, lostAt }) {
  const time = since(kind === "away" ? trouble?.since : lostAt);
  switch (kind) {
    case "away": return [time ? t("The broker has not answered since %(time)s.", { time }) : t("The broker does not answer."),
      [t("Messages are safe on its disk, and sending goes on by itself when it is back. On the server:"), " ", code("broker start")]];
    case "lost": return [time ? t("No connection to the admin server since %(time)s.", { time }) : t("No connection to the admin server."),
      [t("What you see is the last known state. Sending goes on without this page.")]];
    case "error": return [t("The admin server reports an error."), [capital(said(trouble?.detail ?? ""))]];
    case "silent": return [t("There has been no news for a while."), [t("What you see may be old.")]];
    case "no-consumer": return [t("No consumer is running."), [t("Messages wait safely, but none are sent. Start one on the server:"), " ", code("consume")]];
    case "unavailable": return [senderTrouble(status?.hold) ? `${senderTrouble(status.hold)}.` : t("The provider does not answer."), [t("Messages are held, and the provider is asked again automatically. No attempt is lost.")]];
    case "paused": return [t("Paused."), [pausedWords(status)]];
    default: return null;
  }
}

/** By whom and since when a lane is paused. */
export function pausedWords(status) {
  const time = status?.paused_at ? clock(status.paused_at) : "?";
  return status?.paused_by
    ? t("By %(who)s, since %(time)s. Nothing is sent until it is resumed.", { who: person(status.paused_by), time })
    : t("Since %(time)s. Nothing is sent until it is resumed.", { time });
}
