// What every page has: theme, keys, log-out, the count of dead letters; then the page's own module.

import { get, post, toLogin } from "./api.js";
import { applyRole } from "./access.js";
import { showDead } from "./badge.js";
import { $ } from "./dom.js";
import { listen, openHelp } from "./keys.js";
import { rememberTheme } from "./theme.js";
import { complain } from "./toast.js";

const PAGES = new Set(["dashboard", "waiting", "desk", "message", "search", "report", "activity", "health", "import"]);

function menu() {
  const box = $(".menu");
  document.addEventListener("click", (event) => { if (!box.contains(event.target)) box.open = false; });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    $("summary", box).focus();
  });
  $("[data-help]")?.addEventListener("click", openHelp);
  $("#logout")?.addEventListener("click", () => {
    document.dispatchEvent(new Event("antrian-leave"));
    post("/logout").then(toLogin, complain);
  });
}

rememberTheme();
menu();
const page = document.body.dataset.page;
if (PAGES.has(page)) {
  listen();
  applyRole();
  if (page !== "dashboard") get("/status").then((status) => showDead(status.failed_messages), () => {});
  const { ready } = await import(`./pages/${page}.js`);
  await ready;
  document.body.dataset.ready = "true";
}
