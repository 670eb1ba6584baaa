"""What the control endpoints understand; they do not belong to any provider's contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from antrian.sandbox.behaviour import USUAL_SECONDS, Mode, ModeName, digits_of
from antrian.sandbox.dialects.catalog import DIALECTS
from antrian.sandbox.follow_up import STATUSES, ReceiptPace, Status
from antrian.sandbox.report import SESSION_STATES, WebhookTarget

LONGEST_SECONDS: Final = 3600.0

#: Seconds that a mode may be set for: 30 days.
LONGEST_MODE: Final = 30 * 86_400.0

#: What names the sender in the providers' own words.
_SENDER_NAMES: Final = ("sender", "session", "phone_number_id", "device")


@dataclass(frozen=True, slots=True)
class Whose:
    """Which webhook is meant; None for either means the first there is."""

    provider: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that a person writes to the sender; see `/_sandbox/inbound`."""

    number: str
    text: str
    whose: Whose = Whose()


@dataclass(frozen=True, slots=True)
class ReceiptWanted:
    """A receipt to send by hand: of a message that arrived, or, with an unknown id, of one that never did."""

    name: str
    status: Status
    is_final: bool = True
    whose: Whose = Whose()


@dataclass(frozen=True, slots=True)
class SessionWanted:
    """A notice about the sender's connection to send."""

    state: str
    whose: Whose = Whose()


def read_mode(fields: object, now: float) -> Mode | str:
    """Read `{"mode": …, "seconds": …, "for": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"mode": "slow", "seconds": 1.0}.'
    name, seconds, lasting = fields.get("mode"), fields.get("seconds", USUAL_SECONDS), fields.get("for", 0)
    if not isinstance(name, str) or name not in set(ModeName):
        return f"The mode must be one of: {', '.join(ModeName)}."
    if wrong := _why_wrong("The seconds", seconds, LONGEST_SECONDS) or _why_wrong('"for"', lasting, LONGEST_MODE):
        return wrong
    if unknown := _unknown(fields, "mode", "seconds", "for"):
        return unknown
    return Mode(ModeName(name), float(seconds), now + float(lasting) if "for" in fields else None)


def read_inbound(fields: object) -> Inbound | str:
    """Read `{"number": …, "text": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"number": "6281234567890", "text": "Halo"}.'
    number, text, whose = fields.get("number"), fields.get("text", ""), _whose(fields)
    if not isinstance(number, str) or not digits_of(number):
        return "The number must be a text with digits, such as 6281234567890."
    if not isinstance(text, str):
        return "The text must be a text."
    if isinstance(whose, str):
        return whose
    return _unknown(fields, "number", "text", "provider", *_SENDER_NAMES) or Inbound(digits_of(number), text, whose)


def read_target(fields: object) -> WebhookTarget | str:
    """Read `{"url": …, "secret": …}` with a provider and a sender; a string says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"url": "http://127.0.0.1:8090/receipts/…", "secret": "…"}.'
    url, secret, whose = fields.get("url"), fields.get("secret"), _whose(fields)
    if not isinstance(url, str) or not _is_address(url):
        return "The url must be a whole address that begins with http:// or https://."
    if not isinstance(secret, str) or not secret:
        return "The secret must be a text: what the webhooks are signed with."
    if isinstance(whose, str):
        return whose
    named = {name: fields[name] for name in ("account", "own_number") if name in fields}
    if not all(isinstance(value, str) and value for value in named.values()):
        return "The account and the own_number must be texts."
    target = WebhookTarget(url, secret, whose.provider or "sandbox", whose.sender or "", **named)
    return _unknown(fields, "url", "secret", "provider", "account", "own_number", *_SENDER_NAMES) or target


def read_receipt_pace(fields: object) -> ReceiptPace | str:
    """Read `{"delays": [sent, delivered, read]}`; a string is the sentence that says what is wrong with it."""
    delays = fields.get("delays") if isinstance(fields, Mapping) else None
    if not isinstance(delays, list) or len(delays) != 3 or not isinstance(fields, Mapping):  # noqa: PLR2004 (the three)
        return 'The body must be a JSON object such as {"delays": [0.2, 0.8, 2]}: seconds to sent, delivered and read.'
    wrong = [why for delay in delays if (why := _why_wrong("Each delay", delay, LONGEST_SECONDS))]
    if wrong:
        return wrong[0]
    return _unknown(fields, "delays") or ReceiptPace(*map(float, delays))


def read_receipt(fields: object) -> ReceiptWanted | str:
    """Read `{"id": …, "status": …, "final": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"id": "3EB0…", "status": "delivered"}.'
    name, status, final, whose = fields.get("id"), fields.get("status"), fields.get("final", True), _whose(fields)
    if not isinstance(name, str) or not name:
        return "The id must be a text: the provider_id of an arrival, or its correlation_id."
    found = next((one for one in STATUSES if one == status), None)
    if found is None:
        return f"The status must be one of: {', '.join(STATUSES)}."
    if not isinstance(final, bool):
        return '"final" must be true or false: whether another attempt is useless.'
    if isinstance(whose, str):
        return whose
    return _unknown(fields, "id", "status", "final", "provider", *_SENDER_NAMES) or ReceiptWanted(
        name, found, final, whose
    )


def read_session(fields: object) -> SessionWanted | str:
    """Read `{"state": …}`; a string is the sentence that says what is wrong with it."""
    state = fields.get("state") if isinstance(fields, Mapping) else None
    if not isinstance(fields, Mapping) or state not in SESSION_STATES:
        return f"The state must be one of: {', '.join(SESSION_STATES)}."
    whose = _whose(fields)
    if isinstance(whose, str):
        return whose
    return _unknown(fields, "state", "provider", *_SENDER_NAMES) or SessionWanted(str(state), whose)


def _whose(fields: Mapping[Any, Any]) -> Whose | str:
    provider = fields.get("provider")
    if provider is not None and provider not in DIALECTS:
        return f"The provider must be one of: {', '.join(DIALECTS)}."
    senders = [fields[name] for name in _SENDER_NAMES if name in fields]
    if any(not isinstance(sender, str) for sender in senders) or len(senders) > 1:
        return f"There can be one of {', '.join(_SENDER_NAMES)}, a text: they are names for the same thing."
    return Whose(provider, senders[0] if senders else None)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _unknown(fields: Mapping[Any, Any], *known: str) -> str:
    unknown = sorted(set(map(str, fields)) - set(known))
    return f"Unknown: {', '.join(unknown)}. There are only {', '.join(known[:-1])} and {known[-1]}." if unknown else ""


def _why_wrong(name: str, value: object, largest: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name} must be a number."
    return "" if 0 <= value <= largest else f"{name} must be between 0 and {largest:.0f}."
