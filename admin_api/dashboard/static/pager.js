// A list that grows by pages: the newest first, “Show more” fetches those that follow.

import { get } from "./api.js";
import { complain } from "./toast.js";

//: The most that the API gives at once.
const MOST = 500;

export class Pager {
  /** `draw(items, answer)` is called with everything that was fetched; `button` asks for more; `failed(error)` instead of a toast. */
  constructor({ path, button, draw, limit = 50, failed = complain }) {
    Object.assign(this, { path, button, draw, limit, failed });
    this.round = 0;
    button.addEventListener("click", () => this.#fetch(this.round));
  }

  /** Begin again with another filter. Returns the API's answer. */
  async show(filter) {
    Object.assign(this, { filter, items: [], cursor: undefined });
    this.round += 1;
    return this.#fetch(this.round);
  }

  /** Fetch again what is shown, as far as it is shown; drawn only when it has changed. */
  async refresh() {
    const { round } = this;
    const limit = Math.min(MOST, Math.max(this.limit, this.items?.length ?? 0));
    const answer = await get(this.path, { ...this.filter, limit });
    if (round !== this.round || this.items.length > limit) return;
    const before = JSON.stringify([this.items, this.total]);
    Object.assign(this, { items: answer.items, cursor: answer.next_cursor, total: answer.total });
    this.button.hidden = !this.cursor;
    if (JSON.stringify([this.items, this.total]) !== before) this.draw(this.items, answer);
  }

  async #fetch(round) {
    this.button.disabled = true;
    try {
      const answer = await get(this.path, { ...this.filter, cursor: this.cursor, limit: this.limit });
      if (round !== this.round) return null;
      this.items.push(...answer.items);
      this.cursor = answer.next_cursor;
      this.total = answer.total;
      this.button.hidden = !this.cursor;
      this.draw(this.items, answer);
      return answer;
    } catch (error) {
      this.failed(error);
      return null;
    } finally {
      this.button.disabled = false;
    }
  }
}
