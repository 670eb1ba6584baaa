"""Whether a request of a browser comes from our own pages."""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

HEADER = "x-csrf-token"
FIELD = "csrf_token"
FORM_TYPE = "application/x-www-form-urlencoded"

_MOST_FIELDS = 1000
_OURS = frozenset({"same-origin", "none"})


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether the browser itself says that another website sent this request.

    Args:
        headers: by lower-case name.
    """
    if headers.get("sec-fetch-site", "none") not in _OURS:
        return True
    # Under `Referrer-Policy: no-referrer` browsers say `null` for our own forms, too.
    origin = headers.get("origin", "null")
    return origin != "null" and _host(origin) != headers.get("host", "")


def _host(origin: str) -> str | None:
    """Host and port of an origin; None for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def is_right(expected: str, sent: str | None) -> bool:
    """Whether the value is the session's, in constant time."""
    return bool(expected) and hmac.compare_digest(expected.encode(), (sent or "").encode(errors="replace"))


def is_form(headers: Mapping[str, str]) -> bool:
    """Whether the body is what a plain HTML form sends."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE


def form_value(body: bytes) -> str | None:
    """The value in a form's field; None where there is none, or no end of fields."""
    try:
        fields = parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return fields.get(FIELD, [None])[0]
