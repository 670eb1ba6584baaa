// Why a message failed, as people say it: one short sentence for each code of the providers, and of our own.

import { said, t } from "./i18n.js";
import { className } from "./words.js";

const CAUSES = {
  __proto__: null,
  "not-on-whatsapp": t("Number is not on WhatsApp"),
  "unregistered-or-disconnected": t("Number is not on WhatsApp, or our sender is offline"),
  "bad-recipient": t("Not a valid phone number"),
  "invalid-phone-number": t("Not a valid phone number"),
  "not-a-mobile-number": t("Not a mobile number"),
  "phone-extension": t("Number with an extension"),
  "group-id": t("A WhatsApp group, not a person"),
  "several-phone-numbers": t("More than one number"),
  "bad-credentials": t("The provider does not accept our key"),
  "sender-disconnected": t("Our sender is not connected to WhatsApp"),
  "session-scan-qr": t("Our sender must be linked to WhatsApp again"),
  "session-passkey": t("Our sender must be confirmed with a passkey"),
  "session-stopped": t("The gateway’s session is stopped"),
  "session-starting": t("The gateway’s session is starting"),
  "session-failed": t("The gateway’s session has failed"),
  "session-not-working": t("The gateway’s session does not work"),
  "session-not-found": t("The gateway does not know our session"),
  "session-disconnected": t("Our sender is not connected to WhatsApp"),
  "device-not-found": t("The gateway does not know our device"),
  "plan-exhausted": t("The plan at the provider is used up"),
  "provider-down": t("The provider is down"),
  redirected: t("The provider’s address has changed"),
  "refused-by-web-server": t("The provider’s web server refused it"),
  throttled: t("Too many messages at once"),
  "send-failed": t("The provider could not send it"),
  unrecognised: t("The provider refused it"),
  "invalid-fields": t("The provider does not accept the number or the text"),
  "too-large": t("The message is too long"),
  placeholder: t("The provider would change words of the text"),
  spintax: t("The provider would change words of the text"),
  "not-unicode": t("The text has broken characters"),
  "no-answer": t("The provider did not answer"),
  "error-while-sending": t("The provider reported an error while sending"),
  "refused-by-whatsapp": t("WhatsApp reported an error"),
  "expired-at-provider": t("It waited too long at the provider"),
  "answer-lost": t("The provider’s answer was lost"),
  "connection-lost": t("The connection broke while sending"),
  "gateway-error": t("The provider’s server reported an error"),
  "unclear-answer": t("The provider’s answer could not be understood"),
  contradiction: t("The provider’s answer contradicts itself"),
  "connect-timeout": t("No connection to the provider in time"),
  "unknown-host": t("The provider’s address cannot be found"),
  refused: t("Nothing answers at the provider’s address"),
  tls: t("No secure connection to the provider"),
  proxy: t("The proxy cannot be reached"),
  "bad-address": t("The provider’s address is not valid"),
  "not-connected": t("The connection broke before sending"),
  "not-begun": t("The broker was away before sending"),
  timeout: t("The provider did not answer in time"),
  "adapter-error": t("A fault in Antrian while sending"),
  crash: t("The consumer stopped while sending it"),
  poison: t("The consumer stopped each time it sent this"),
  "attempts-exhausted": t("Failed at every attempt"),
  "malformed/invalid-fields": t("The message is incomplete or not valid"),
  "malformed/too-large": t("The message is too long"),
  "not-json": t("The message cannot be read"),
  "not-an-object": t("The message cannot be read"),
  unreadable: t("The message cannot be read"),
  "unsupported-encoding": t("The message cannot be read"),
  "bad-header": t("The message cannot be read"),
  "unknown-version": t("The message is of a newer version"),
  "bad-message-id": t("The message has no valid ID"),
  "bad-lane": t("The message names no valid lane"),
  "unknown-priority": t("The message has no valid priority"),
  "broker/rejected": t("The broker gave it up"),
  "broker/expired": t("The broker gave it up"),
  "broker/maxlen": t("The broker gave it up"),
  "broker/delivery_limit": t("The broker gave it up"),
};

/** What our own programs write where the provider said nothing. */
const OURS = {
  __proto__: null,
  "the request was sent, but no complete answer came in time": t("The request was sent, but no complete answer came in time."),
  "the request was sent, but the connection broke before the whole answer came": t("The request was sent, but the connection broke before the answer came."),
  "the body is not JSON": "",
  "the body is not strictly valid JSON": "",
  "the body is JSON, but not an object": "",
  "the provider never answered": t("The request was sent, but no complete answer came in time."),
  "the consumer stopped in the middle of a send": t("It is not known whether it was sent."),
  "the provider could not be reached in time": "",
  "the provider's host name cannot be resolved": "",
  "nothing is listening at the provider's address": "",
  "the provider's TLS handshake or certificate failed": "",
  "the HTTP proxy cannot be reached, or refused the connection": "",
  "the provider's address is not a valid URL": "",
  "the connection broke before the request was sent": "",
  "the connection to the broker broke before the call": "",
  "the broker gave it up before a consumer could handle it": "",
};
const SILENT = /^HTTP (\d{3}) without a (?:message from MPWA|reason)$/;

/** The cause in one sentence. */
export const causeTitle = (failureClass, code) => CAUSES[`${failureClass}/${code}`] ?? CAUSES[code] ?? (failureClass && failureClass !== "unknown" ? className(failureClass) : t("Cause not known"));

/** What was said about it, in the provider's words or in ours; empty when there is nothing more to say. */
export function causeDetail(detail) {
  const silent = SILENT.exec(detail ?? "");
  if (silent) return t("Answered with HTTP %(status)s and no explanation.", { status: silent[1] });
  return OURS[detail] ?? said(detail ?? "");
}

/** Class and code, for those who look them up. */
export const causeCode = (failureClass, code) => [failureClass, code].filter((part) => part && part !== "unknown").join(" · ");
