// What every page has: theme, keys, log-out, the news of the lane; then the page's own module.

import { post, toLogin } from "./api.js";
import { applyRole } from "./access.js";
import { guard } from "./availability.js";
import { $, $$ } from "./dom.js";
import { listen, openHelp } from "./keys.js";
import { listen as listenToServer } from "./live.js";
import { watch } from "./page_state.js";
import { rememberTheme } from "./theme.js";
import { complain } from "./toast.js";

const PAGES = new Set(["dashboard", "waiting", "desk", "message", "search", "report", "activity", "health", "import", "optouts", "contact", "plan"]);

//: Pages about one lane; on the others a lane in the address is part of a filter.
const OF_A_LANE = new Set(["dashboard", "waiting"]);

/** Menus close by a press outside of them, by Escape, and when something in them was chosen. */
function menus() {
  for (const box of $$("details.menu")) {
    document.addEventListener("click", (event) => { if (!box.contains(event.target)) box.open = false; });
    box.addEventListener("click", (event) => { if (event.target.closest("[data-closes]")) box.open = false; });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !box.open) return;
      box.open = false;
      $("summary", box).focus();
    });
  }
  $("[data-help]")?.addEventListener("click", openHelp);
  $("#logout")?.addEventListener("click", () => {
    document.dispatchEvent(new Event("antrian-leave"));
    post("/logout").then(toLogin, complain);
  });
}

rememberTheme();
menus();
const page = document.body.dataset.page;
if (PAGES.has(page)) {
  listen();
  applyRole();
  guard();
  watch({ hasHeadline: page === "dashboard" });
  const lane = OF_A_LANE.has(page) ? new URLSearchParams(location.search).get("lane") ?? "" : "";
  const arrived = import(`./pages/${page}.js`);
  // The page is there before the first news, so that it misses none; without its module the rest works all the same.
  arrived.catch(() => {}).then(() => listenToServer({ lane }));
  const { ready } = await arrived;
  await ready;
  document.body.dataset.ready = "true";
}
