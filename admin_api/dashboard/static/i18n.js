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

let templates;

/** Characters of the longest text that is looked up; each placeholder's may be looked up again. */
const LONGEST = 1_500;

/**
 * What the server says in English, in the reader's language: its sentences are recognised by their templates. It may be
 * one sentence, several with "; " between them, or one about a field; `translation.py` does the same.
 */
export function said(sentence) {
  if (!sentence || sentence.length > LONGEST) return sentence;
  const known = whole(sentence);
  if (known !== undefined) return known;
  const pieces = sentence.split("; ");
  if (pieces.length > 1) return pieces.map(said).join("; ");
  const [, field, rest] = /^([\w.-]+:? )([^]+)$/.exec(sentence) ?? [];
  const problem = rest && whole(rest);
  return problem ? field + problem : sentence;
}

function whole(sentence) {
  // Split by a pattern with a group, the names stand between the texts.
  templates ??= Object.entries(globalThis.antrianSentences ?? {}).map(([template, translation]) => ({ parts: template.split(/%\((\w+)\)s/), translation }));
  for (const { parts, translation } of templates) {
    const found = values(parts, sentence);
    // What stands for a placeholder may be a sentence of the server's, too.
    if (found) return fill(translation, Object.fromEntries(found.map((value, index) => [parts[2 * index + 1], said(value)])));
  }
  return undefined;
}

/** What stands for each placeholder, in linear time: a regular expression would take a power of the length. */
function values(parts, sentence) {
  const texts = parts.filter((_, index) => index % 2 === 0);
  const [first, last] = [texts[0], texts.at(-1)];
  if (texts.length === 1) return sentence === first ? [] : null;
  if (!sentence.startsWith(first) || !sentence.endsWith(last)) return null;
  const found = [];
  let at = first.length;
  for (const text of texts.slice(1, -1)) {
    const next = sentence.indexOf(text, at + 1);
    if (next < 0) return null;
    found.push(sentence.slice(at, next));
    at = next + text.length;
  }
  const end = sentence.length - last.length;
  return at < end ? [...found, sentence.slice(at, end)] : null;
}

/** A sentence as it stands alone: with a capital at its beginning. */
export const capital = (sentence) => sentence && sentence[0].toLocaleUpperCase() + sentence.slice(1);
