// Who did something, as people call them.

import { t } from "./i18n.js";

const WAYS = { __proto__: null, cli: (who) => t("%(who)s, on the command line", { who }), api: (who) => t("%(who)s, over the API", { who }) };

/** Who did it: people by their names, without where they pressed a button. */
export function person(by) {
  const [way, ...name] = (by ?? "").split(":");
  return name.length ? WAYS[way]?.(name.join(":")) ?? name.join(":") : by;
}
