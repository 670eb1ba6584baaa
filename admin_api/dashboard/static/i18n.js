// The reader's language. Message ids are English; `strings/….js` has put the translations in place before this runs.

const strings = globalThis.antrianStrings ?? {};
export const language = document.documentElement.lang || "en";

const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values?.[name] ?? whole);

/** The text in the reader's language, with `%(name)s` taken from `values`. */
export function t(text, values) {
  return fill(strings[text] || text, values);
}

/** The text for a number of things; `%(count)s` is the number. */
export function tn(one, many, count, values) {
  const known = strings[one];
  const english = count === 1 ? one : many;
  const text = Array.isArray(known) ? known[known.length > 1 && count !== 1 ? 1 : 0] : known;
  return fill(text || english, { count: count.toLocaleString(language), ...values });
}
