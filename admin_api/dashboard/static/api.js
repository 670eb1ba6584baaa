// The one way to the API. Errors are the API's own problem documents.

import { capital, said, t } from "./i18n.js";

export const prefix = document.body.dataset.prefix;

/**
 * What the API refused, or that it could not be reached (`status` 0), in the reader's language.
 *
 * `message` stands alone, `reason` goes on after a colon; `code`, `since` and `errors` are the document's own.
 */
export class Problem extends Error {
  constructor(status, title, document = {}) {
    const reason = said(document.detail || title);
    super(capital(reason));
    this.reason = reason;
    this.status = status;
    this.code = document.code ?? "";
    this.since = document.since;
    this.errors = (document.errors ?? []).map((error) => ({ ...error, problem: said(error.problem) }));
    this.answer = document;
  }
}

const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** Ask the API; returns what it answered. Query values that are empty are left out; a `file` is sent as it is. */
export async function ask(method, path, { query, body, file } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (file !== undefined) headers["Content-Type"] = "application/octet-stream";
  let response;
  try {
    response = await fetch(address(path, query), { method, headers, body: file ?? (body === undefined ? undefined : JSON.stringify(body)), credentials: "same-origin" });
  } catch {
    throw new Problem(0, t("The admin server cannot be reached."));
  }
  if (response.status === 401) toLogin();
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer.title ?? response.statusText, answer);
  return answer;
}

/** An address of the API, with a query; a value that is a list is repeated. */
export function address(path, query) {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const words = new URLSearchParams(pairs.filter(([, value]) => value !== undefined && value !== null && value !== ""));
  return `${prefix}${path}${words.size ? `?${words}` : ""}`;
}

/** Go and log in, and come back here. */
export function toLogin() {
  location.assign(address("/login", { next: location.pathname + location.search }));
}

export const get = (path, query) => ask("GET", path, { query });
export const post = (path, body) => ask("POST", path, { body });
