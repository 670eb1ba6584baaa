// The reader's time zone, for answers that are made of hours and days.

import { get } from "./api.js";

const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
let known = name && name !== "Etc/Unknown";

/** What goes into a question; nothing where only the server's own zone is left. */
export const zoneQuery = () => (known ? { timezone: name } : {});

/** Ask for something in the reader's hours and days. A zone that the server does not know is as good as none. */
export async function getInZone(path, query) {
  try {
    return await get(path, { ...query, ...zoneQuery() });
  } catch (problem) {
    if (problem.status !== 422 || !known) throw problem;
    known = false;
    return get(path, query);
  }
}
