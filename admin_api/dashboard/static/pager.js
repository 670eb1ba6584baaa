// A list that grows by pages: the newest first, “Show more” fetches those that follow.

import { get } from "./api.js";
import { complain } from "./toast.js";

export class Pager {
  /** `draw(items, more)` is called with everything that was fetched; `button` asks for more. */
  constructor({ path, button, draw, limit = 50 }) {
    Object.assign(this, { path, button, draw, limit });
    this.round = 0;
    button.addEventListener("click", () => this.#fetch(this.round));
  }

  /** Begin again with another filter. Returns the API's answer. */
  async show(filter) {
    Object.assign(this, { filter, items: [], cursor: undefined });
    this.round += 1;
    return this.#fetch(this.round);
  }

  async #fetch(round) {
    this.button.disabled = true;
    try {
      const answer = await get(this.path, { ...this.filter, cursor: this.cursor, limit: this.limit });
      if (round !== this.round) return null;
      this.items.push(...answer.items);
      this.cursor = answer.next_cursor;
      this.button.hidden = !this.cursor;
      this.draw(this.items, answer);
      return answer;
    } catch (error) {
      complain(error);
      return null;
    } finally {
      this.button.disabled = false;
    }
  }
}
