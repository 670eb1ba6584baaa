// The picture in the tab tells the state too: a small sign on the logo. Pictures from here are allowed by the policy as data.

import { $ } from "./dom.js";

const COLOURS = { held: "#b7791f", bad: "#c62f25" };
const SIGNS = { __proto__: null, paused: "M45 42v12M53 42v12", unavailable: "M45 42v12M53 42v12", throttled: "M45 42v12M53 42v12" };
const ALARM = "M49 41v9M49 56v.01";

function picture(tone, kind) {
  const ground = kind === "lost" || kind === "silent" ? "#6b7571" : "#0c5f56";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="16" fill="${ground}"/>`
    + '<path d="M28.200 20.600A16.500 16.500 0 1 1 28.200 43.400" fill="none" stroke="#f5c451" stroke-width="6" stroke-linecap="round"/>'
    + '<circle cx="40" cy="32" r="6.500" fill="#fff"/><circle cx="24" cy="32" r="4.500" fill="#fff"/>'
    + `<circle cx="49" cy="49" r="15" fill="${COLOURS[tone]}" stroke="#fff" stroke-width="3"/>`
    + `<path d="${SIGNS[kind] ?? ALARM}" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round"/></svg>`;
}

let logo = "";

/** Show the state in the tab. */
export function showFavicon(tone, kind) {
  const link = $('link[rel="icon"]');
  logo ||= link.getAttribute("href");
  const next = COLOURS[tone] ? `data:image/svg+xml,${encodeURIComponent(picture(tone, kind))}` : logo;
  if (link.getAttribute("href") !== next) link.setAttribute("href", next);
}
