// What was found, marked where it stands.

import { h } from "./dom.js";

const plain = (character) => character.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()[0] ?? character;

/** The words of a term. */
export const words = (term) => [...new Set((term ?? "").match(/[\p{L}\p{N}]+/gu) ?? [])];

/** A text with the beginnings of its words that are among `wanted` marked. */
export function marked(text, wanted) {
  const characters = [...text];
  const folded = characters.map(plain).join("");
  const spans = wanted.map((word) => [...word].map(plain).join("")).flatMap((word) => places(folded, word));
  return cut(characters, spans);
}

/** A number with the digits that were looked for marked. */
export function markedNumber(shown, term) {
  if (!/^[+\d\s().\-/]+$/.test(term ?? "")) return shown;
  const at = [...shown].flatMap((character, index) => (/\d/.test(character) ? [index] : []));
  const digits = at.map((index) => shown[index]).join("");
  for (const wanted of [term.replace(/\D/g, ""), term.replace(/\D/g, "").replace(/^0/, "")]) {
    const begins = wanted.length < 3 ? -1 : digits.lastIndexOf(wanted);
    if (begins >= 0) return cut([...shown], [[at[begins], at[begins + wanted.length - 1] + 1]]);
  }
  return shown;
}

/** A key or an id whose beginning was looked for. */
export const markedBeginning = (text, term) => (text.toLowerCase().startsWith(term.toLowerCase()) ? cut([...text], [[0, [...term].length]]) : text);

function places(text, word) {
  const found = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    if (!at || !/[\p{L}\p{N}]/u.test(text[at - 1])) found.push([at, at + word.length]);
  }
  return found;
}

function cut(characters, spans) {
  const parts = [];
  let done = 0;
  for (const [begin, end] of spans.sort((a, b) => a[0] - b[0])) {
    if (begin < done) continue;
    parts.push(characters.slice(done, begin).join(""), h("mark", {}, characters.slice(begin, end).join("")));
    done = end;
  }
  return [...parts, characters.slice(done).join("")].filter((part) => part !== "");
}
