"""What the control endpoints understand; they do not belong to MPWA's contract."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from antrian.sandbox.behaviour import USUAL_SECONDS, Inbound, Mode, ModeName, digits_of

LONGEST_SECONDS = 3600.0

#: Seconds that a mode may be set for: 30 days.
LONGEST_MODE = 30 * 86_400.0


def read_mode(fields: object, now: float) -> Mode | str:
    """Read `{"mode": …, "seconds": …, "for": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"mode": "slow", "seconds": 1.0}.'
    name, seconds, lasting = fields.get("mode"), fields.get("seconds", USUAL_SECONDS), fields.get("for", 0)
    if not isinstance(name, str) or name not in set(ModeName):
        return f"The mode must be one of: {', '.join(ModeName)}."
    if wrong := _why_wrong("The seconds", seconds, LONGEST_SECONDS) or _why_wrong('"for"', lasting, LONGEST_MODE):
        return wrong
    if unknown := set(fields) - {"mode", "seconds", "for"}:
        return f"Unknown: {', '.join(sorted(unknown))}. There are only mode, seconds and for."
    return Mode(ModeName(name), float(seconds), now + float(lasting) if "for" in fields else None)


def read_inbound(fields: object) -> Inbound | str:
    """Read `{"number": …, "text": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"number": "6281234567890", "text": "Halo"}.'
    number, text = fields.get("number"), fields.get("text", "")
    if not isinstance(number, str) or not digits_of(number):
        return "The number must be a text with digits, such as 6281234567890."
    if not isinstance(text, str):
        return "The text must be a text."
    if unknown := set(map(str, fields)) - {"number", "text"}:
        return f"Unknown: {', '.join(sorted(unknown))}. There are only number and text."
    return Inbound(digits_of(number), text)


def _why_wrong(name: str, value: object, largest: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name} must be a number."
    return "" if 0 <= value <= largest else f"{name} must be between 0 and {largest:.0f}."


def decode_fields(body: bytes, content_type: str) -> Any:
    """Decode a body as JSON, or as a form if it says so; None if it is neither."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(body.decode()))
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
