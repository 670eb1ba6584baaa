// Light, dark, or as the system: remembered in a cookie, so that the server paints the first frame right.

import { prefix } from "./api.js";
import { $$ } from "./dom.js";

const A_YEAR = 31536000;

export function rememberTheme() {
  for (const choice of $$('input[name="theme"]')) {
    choice.addEventListener("change", () => {
      document.documentElement.dataset.theme = choice.value;
      document.cookie = `antrian_theme=${choice.value}; path=${prefix}; max-age=${A_YEAR}; samesite=strict`;
    });
  }
}
