// Elements without markup in strings: whatever comes from a message can only ever be text.

const SVG = "http://www.w3.org/2000/svg";

function fit(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && (name === "checked" || name === "disabled" || name === "value")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** An element: `h("a", {href}, "text", otherElement)`. */
export const h = (tag, attributes, ...children) => fit(document.createElement(tag), attributes, children);

/** The same in SVG. */
export const s = (tag, attributes, ...children) => fit(document.createElementNS(SVG, tag), attributes, children);

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Change text only when it differs: a live region speaks once, and a selection survives. */
export function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** A table whose rows become cards on a phone; `columns` are [{label, cell: (row) => content, class?}]. */
export function table(caption, columns, rows, decorate) {
  const head = columns.map((column) => h("th", { scope: "col", class: column.class }, column.head ?? column.label));
  const body = rows.map((row) => {
    const cells = columns.map((column) => h("td", { class: column.class, "data-label": column.label }, column.cell(row)));
    const line = h("tr", {}, cells);
    decorate?.(line, row);
    return line;
  });
  return h("table", { class: "table cards" }, h("caption", { class: "sr" }, caption),
    h("thead", {}, h("tr", {}, head)), h("tbody", {}, body));
}

/** What a list shows when there is nothing in it. */
export const empty = (title, words) => h("p", { class: "empty" }, h("b", {}, title), words);
