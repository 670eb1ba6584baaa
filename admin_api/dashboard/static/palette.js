// One field for everything, from every page: messages as they are typed for, pages and actions by their names.

import { get, prefix } from "./api.js";
import { commands, contactOf, latestStatus, matching, runFromAddress } from "./commands.js";
import { $, h, s, say } from "./dom.js";
import { phone } from "./format.js";
import { marked, markedBeginning, markedNumber, words } from "./highlight.js";
import { t, tn } from "./i18n.js";
import { matchWords } from "./matches.js";
import { toast } from "./toast.js";
import { messageHref, messageState } from "./words.js";

//: Milliseconds of silence after which a term is looked for, and messages that are shown.
const SILENCE = 150;
const MOST = 6;

let parts;
let all = [];
let options = [];
let active = 0;
let round = 0;
let timer = 0;

const icon = (name) => {
  const picture = s("svg", { class: "icon", "aria-hidden": "true" }, s("use", {}));
  picture.firstChild.setAttribute("href", new URL(`./icons.svg#${name}`, import.meta.url).href);
  return picture;
};

function build() {
  const input = h("input", {
    type: "text", role: "combobox", id: "palette-term", autocomplete: "off", spellcheck: "false", enterkeyhint: "go", maxlength: "200",
    "aria-label": t("Search messages, pages and actions"), "aria-controls": "palette-list", "aria-expanded": "true", "aria-autocomplete": "list",
    placeholder: t("Number, key, text, page or action"), oninput: typed, onkeydown: pressed,
  });
  const list = h("div", { role: "listbox", id: "palette-list", class: "palette-list", "aria-label": t("Results") });
  const news = h("p", { class: "sr", role: "status" });
  const close = h("button", { type: "button", class: "palette-close", "aria-label": [t("Close"), "Esc"].join(", "), onclick: () => dialog.close() }, h("kbd", { "aria-hidden": "true" }, "Esc"), h("span", { "aria-hidden": "true" }, "×"));
  const dialog = h("dialog", { id: "palette", class: "palette", "aria-label": t("Search and commands") },
    h("div", { class: "palette-head" }, icon("search"), input, close), list, news,
    h("p", { class: "palette-foot", "aria-hidden": "true" }, h("kbd", {}, "↑"), h("kbd", {}, "↓"), h("span", {}, t("choose")), h("kbd", {}, "Enter"), h("span", {}, t("open"))));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { clearTimeout(timer); round += 1; });
  document.body.append(dialog);
  return { dialog, input, list, news };
}

/** Open it, empty, with the focus in its field. */
export function openPalette({ help }) {
  parts ??= build();
  all = commands({ status: null, help });
  parts.input.value = "";
  parts.dialog.showModal();
  parts.input.focus();
  typed();
  latestStatus().then((status) => {
    if (!parts.dialog.open) return;
    all = commands({ status, help });
    draw(parts.messages);
  });
}

/** The button in the header that opens it, and what another page's palette asked this one for. */
export function wirePalette({ help }) {
  const button = h("button", { type: "button", class: "palette-button", "aria-label": t("Search and commands"), title: t("Search and commands (Ctrl K)"), onclick: () => openPalette({ help }) }, icon("search"));
  $(".tools")?.prepend(button);
  runFromAddress();
}

const term = () => parts.input.value.trim();

function typed() {
  clearTimeout(timer);
  round += 1;
  active = 0;
  parts.messages = null;
  draw(null);
  if (term()) timer = setTimeout(look, SILENCE, round);
}

async function look(mine) {
  const wanted = term();
  let found;
  try {
    found = (await get("/messages", { q: wanted, limit: MOST })).items;
  } catch (error) {
    found = error;
  }
  if (mine !== round || !parts.dialog.open) return;
  parts.messages = found;
  draw(found);
  if (Array.isArray(found)) say(parts.news, tn("%(count)s message found", "%(count)s messages found", found.length));
}

/** What can be chosen now: commands first, because they are there at once and stay where they are. */
function offered(found) {
  const wanted = term();
  const known = matching(all, wanted);
  const messages = Array.isArray(found) ? found.map((message) => ({ group: "messages", message, run: () => location.assign(messageHref(message.message_id)) })) : [];
  const more = { group: "messages", name: t("Search for “%(term)s”", { term: wanted }), all: true, run: () => location.assign(`${prefix}/search?${new URLSearchParams({ q: wanted })}`) };
  return [...known, ...messages, ...contactOf(wanted), ...(wanted ? [more] : [])];
}

function draw(found) {
  options = offered(found);
  active = Math.min(active, Math.max(0, options.length - 1));
  const groups = { pages: t("Pages"), actions: t("Actions"), messages: t("Messages") };
  const made = options.map((option, index) => h("div", {
    role: "option", id: `palette-${index}`, class: "palette-option", "aria-selected": "false", "aria-disabled": option.denied ? "true" : null,
    onclick: () => choose(index), onpointermove: () => point(index),
  }, content(option)));
  parts.list.replaceChildren(...Object.entries(groups).flatMap(([group, label]) => {
    const members = made.filter((_, index) => options[index].group === group);
    if (!members.length) return [];
    const note = group === "messages" && found instanceof Error ? h("p", { class: "palette-note", role: "presentation" }, found.message) : null;
    return [h("div", { role: "group", "aria-labelledby": `palette-group-${group}` }, h("div", { class: "palette-group", id: `palette-group-${group}`, role: "presentation" }, label), note, members)];
  }));
  point(active);
}

function content(option) {
  if (!option.message) return [h("span", { class: "palette-name" }, option.name), option.denied && h("span", { class: "muted" }, option.denied)];
  const { message } = option;
  const wanted = term();
  const key = message.idempotency_key && message.matched_by?.includes("key") ? markedBeginning(message.idempotency_key, wanted) : matchWords(message);
  return [
    h("span", { class: "palette-number" }, markedNumber(phone(message.phone_number) || t("unreadable"), wanted)),
    messageState(message, message.cancelling),
    h("span", { class: "palette-text" }, message.message ? marked(message.message, words(wanted)) : message.source),
    key && h("span", { class: "palette-match" }, key),
  ];
}

function point(index) {
  active = index;
  for (const [place, option] of [...parts.list.querySelectorAll("[role=option]")].entries()) option.setAttribute("aria-selected", String(place === index));
  if (options.length) parts.input.setAttribute("aria-activedescendant", `palette-${index}`);
  else parts.input.removeAttribute("aria-activedescendant");
}

function step(by) {
  if (!options.length) return;
  point((active + by + options.length) % options.length);
  $(`#palette-${active}`).scrollIntoView({ block: "nearest" });
}

function choose(index) {
  const option = options[index];
  if (!option) return;
  if (option.denied) {
    say(parts.news, option.denied);
    toast(option.denied, { bad: true });
    return;
  }
  parts.dialog.close();
  option.run();
}

function pressed(event) {
  if (event.isComposing) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (steps[event.key]) step(steps[event.key]);
  else if (event.key === "Enter") choose(active);
  else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") parts.dialog.close();
  else return;
  event.preventDefault();
}
