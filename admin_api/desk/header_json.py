"""AMQP headers and bodies as JSON, and back: for letters that only an event can keep."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

#: The key that marks a value which JSON has no word for.
_BYTES, _TIME, _DECIMAL = "$bytes", "$time", "$decimal"


def pack_letter(body: bytes, headers: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a JSON value: its body in base64, its headers."""
    return {"body": base64.b64encode(body).decode(), "headers": pack(headers)}


def unpack_letter(letter: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Body and headers of what `pack_letter` made.

    Raises:
        ValueError: it did not make this.
    """
    body, headers = letter.get("body"), unpack(letter.get("headers"))
    if not isinstance(body, str) or not isinstance(headers, dict):
        raise ValueError("not a letter")  # noqa: TRY004 (a wrong value in an event, not a mistake of ours)
    return base64.b64decode(body, validate=True), headers


def pack(value: Any) -> Any:
    """A header's value in words of JSON."""
    match value:
        case Mapping():
            return {_text(key): pack(one) for key, one in value.items()}
        case list() | tuple():
            return [pack(one) for one in value]
        case bytes() | bytearray():
            return {_BYTES: base64.b64encode(value).decode()}
        case datetime():
            return {_TIME: value.replace(tzinfo=value.tzinfo or UTC).timestamp()}
        case Decimal():
            return {_DECIMAL: str(value)}
    return value


def unpack(value: Any) -> Any:
    """The header's value that `pack` made this of."""
    match value:
        case {"$bytes": str(coded), **rest} if not rest:
            return base64.b64decode(coded)
        case {"$time": int(at) | float(at), **rest} if not rest:
            return datetime.fromtimestamp(at, UTC)
        case {"$decimal": str(digits), **rest} if not rest:
            return Decimal(digits)
        case Mapping():
            return {key: unpack(one) for key, one in value.items()}
        case list():
            return [unpack(one) for one in value]
    return value


def _text(key: str | bytes) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key
