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

let patterns;

/**
 * What the server says in English, in the reader's language: its sentences are recognised by their templates. It may be
 * one sentence, several with "; " between them, or one about a field; `translation.py` does the same.
 */
export function said(sentence) {
  if (!sentence) return sentence;
  const known = whole(sentence);
  if (known !== undefined) return known;
  const pieces = sentence.split("; ");
  if (pieces.length > 1) return pieces.map(said).join("; ");
  const [, field, rest] = /^([\w.-]+:? )([^]+)$/.exec(sentence) ?? [];
  const problem = rest && whole(rest);
  return problem ? field + problem : sentence;
}

function whole(sentence) {
  patterns ??= Object.entries(globalThis.antrianSentences ?? {}).map(([template, translation]) => ({ pattern: pattern(template), names: names(template), translation }));
  for (const known of patterns) {
    const found = known.pattern.exec(sentence);
    // What stands for a placeholder may be a sentence of the server's, too.
    if (found) return fill(known.translation, Object.fromEntries(known.names.map((name, index) => [name, said(found[index + 1])])));
  }
  return undefined;
}

const PLACEHOLDER = /%\((\w+)\)s/g;
const names = (template) => [...template.matchAll(PLACEHOLDER)].map(([, name]) => name);
const pattern = (template) => new RegExp(`^${template.split(PLACEHOLDER).map((part, index) => (index % 2 ? "([^]+?)" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("")}$`);

/** A sentence as it stands alone: with a capital at its beginning. */
export const capital = (sentence) => sentence && sentence[0].toLocaleUpperCase() + sentence.slice(1);
