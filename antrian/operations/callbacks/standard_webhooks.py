"""Standard Webhooks: how a callback is signed; no I/O. The standard is at https://www.standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

#: What a secret begins with; the rest is base64.
PREFIX: Final = "whsec_"

#: Bytes that a key has, by the standard.
_SHORTEST, _LONGEST = 24, 64


def read_secret(written: str) -> bytes:
    """The key in a secret.

    Raises:
        ValueError: it is none; the text does not quote it.
    """
    try:
        key = base64.b64decode(written.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not written.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"must be {PREFIX} and the base64 of {_SHORTEST} to {_LONGEST} bytes")
    return key


def signed_headers(keys: Sequence[bytes], webhook_id: str, at: float, body: bytes) -> dict[str, str]:
    """The headers that prove who sends a body.

    Args:
        keys: every current one; several while one is replaced.
        webhook_id: the same each time that the same thing is told.
        at: when it is sent, unix seconds; a receiver refuses what is old.
        body: as it is sent, byte for byte.
    """
    timestamp = str(int(at))
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
