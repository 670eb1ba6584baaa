"""What the control endpoints understand; they do not belong to MPWA's contract."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from antrian.sandbox.behaviour import USUAL_SECONDS, Mode, ModeName

LONGEST_SECONDS = 3600.0


def read_mode(fields: object) -> Mode | str:
    """Read `{"mode": …, "seconds": …}`; a string is the sentence that says what is wrong with it."""
    if not isinstance(fields, Mapping):
        return 'The body must be a JSON object such as {"mode": "slow", "seconds": 1.0}.'
    name, seconds = fields.get("mode"), fields.get("seconds", USUAL_SECONDS)
    if not isinstance(name, str) or name not in set(ModeName):
        return f"The mode must be one of: {', '.join(ModeName)}."
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return "The seconds must be a number."
    if not 0 <= seconds <= LONGEST_SECONDS:
        return f"The seconds must be between 0 and {LONGEST_SECONDS:.0f}."
    if unknown := set(fields) - {"mode", "seconds"}:
        return f"Unknown: {', '.join(sorted(unknown))}. There are only mode and seconds."
    return Mode(ModeName(name), float(seconds))


def decode_fields(body: bytes, content_type: str) -> Any:
    """Decode a body as JSON, or as a form if it says so; None if it is neither."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(body.decode()))
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
