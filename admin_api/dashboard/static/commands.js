// What the palette offers besides messages: the pages, and what can be done from anywhere.

import { may, need } from "./access.js";
import { get, post, prefix } from "./api.js";
import { $, $$ } from "./dom.js";
import { t } from "./i18n.js";
import { complain, toast } from "./toast.js";

const go = (path) => () => location.assign(prefix + path);

/** Every page that the navigation has. */
function pages() {
  const linked = $$(".places a").map((link) => ({ name: ($("span", link) ?? link).textContent.trim(), path: link.getAttribute("href").replace(prefix, "") }));
  return linked.filter(({ path }, index) => linked.findIndex((other) => other.path === path) === index)
    .map(({ name, path }) => ({ group: "pages", name, words: path.slice(1), run: go(path) }));
}

/** Pause or resume, with the other as the way back. */
async function setPaused(paused, lane) {
  const at = (path) => (lane ? `${path}?lane=${encodeURIComponent(lane)}` : path);
  try {
    await post(at(paused ? "/pause" : "/resume"));
    const words = paused ? t("Paused. A message that is already being sent will be completed.") : t("Sending goes on.");
    toast(words, { action: { label: paused ? t("Resume") : t("Pause"), run: () => setPaused(!paused, lane) } });
  } catch (error) {
    complain(error);
  }
}

/** Pausing and resuming: of the lane that is shown, or of all the others. */
function pausing(status, { others = false } = {}) {
  const lanes = status?.lanes ?? [];
  if (lanes.length > 1) {
    return lanes.filter((lane) => (lane !== status.lane) === others).flatMap((lane) => [
      { name: t("Pause lane %(lane)s", { lane }), words: "pause", role: "operator", run: () => setPaused(true, lane) },
      { name: t("Resume lane %(lane)s", { lane }), words: "resume", role: "operator", run: () => setPaused(false, lane) },
    ]);
  }
  if (others) return [];
  return [status?.paused ? { name: t("Resume"), words: "resume pause", role: "operator", run: () => setPaused(false) }
    : { name: t("Pause"), words: "pause stop", role: "operator", run: () => setPaused(true) }];
}

/** A button of the dashboard, pressed there: dialogs ask there before anything happens. */
function onDashboard(id) {
  return () => {
    const button = $(`#${id}`);
    if (document.body.dataset.page === "dashboard" && button) button.click();
    else location.assign(`${prefix}/#${id}`);
  };
}

/** A number that was typed leads to what is known of the person. */
export function contactOf(term) {
  const digits = term.replace(/[\s().-]/g, "");
  return /^\+?\d{9,15}$/.test(digits) ? [{ group: "messages", name: t("Contact %(number)s", { number: term }), words: term, run: go(`/contact/${encodeURIComponent(digits)}`) }] : [];
}

const choose = (selector) => () => $(selector)?.click();

function appearance() {
  const themes = { auto: t("Colours: as the system"), light: t("Colours: light"), dark: t("Colours: dark") };
  const languages = $$("#languages a").map((link) => ({ name: t("Language: %(name)s", { name: link.textContent.trim() }), words: "language bahasa", run: () => link.click() }));
  return [...Object.entries(themes).map(([value, name]) => ({ name, words: `theme ${value}`, run: choose(`input[name=theme][value=${value}]`) })), ...languages];
}

/** Everything that can be chosen; `status` is the lane's, as far as it is known. */
export function commands({ status, help }) {
  const actions = [
    ...pausing(status),
    { name: t("Send a test …"), words: "test", role: "operator", run: onDashboard("test") },
    { name: t("Clear …"), words: "clear", role: "admin", run: onDashboard("clear") },
    ...appearance(),
    { name: t("Keyboard shortcuts"), words: "help keys", run: help },
    { name: t("Log out"), words: "logout", run: choose("#logout") },
    // Last, because there may be hundreds.
    ...pausing(status, { others: true }),
  ].map((action) => ({ group: "actions", ...action, denied: action.role && !may(action.role) ? need(action.role) : "" }));
  return [...pages(), ...actions];
}

/** Those whose names have every word of the term. */
export function matching(all, term) {
  const words = term.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ name, words: more }) => words.every((word) => `${name} ${more}`.toLocaleLowerCase().includes(word)));
}

/** What another page asked for by the name of a button, once this one is there. */
export function runFromAddress() {
  const id = location.hash.slice(1);
  if (!["test", "clear"].includes(id) || document.body.dataset.page !== "dashboard") return;
  history.replaceState(null, "", location.pathname + location.search);
  const press = () => $(`#${id}`)?.click();
  if (document.body.dataset.ready) press();
  else new MutationObserver((_, observer) => { observer.disconnect(); press(); }).observe(document.body, { attributes: true, attributeFilter: ["data-ready"] });
}

/** The lane's status; nothing when it cannot be had. */
export const latestStatus = () => get("/status").catch(() => null);
