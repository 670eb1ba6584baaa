"""What GOWA is asked: `POST /send/message`, by its docs/openapi.yaml. Pure."""

import base64

from pydantic import SecretStr

from antrian.providers.contract import Outgoing


def send_message(outgoing: Outgoing) -> dict[str, object]:
    """The body of a request that sends a message."""
    return {"phone": f"{outgoing.recipient.removeprefix('+')}@s.whatsapp.net", "message": outgoing.text}


def headers(key: SecretStr, device_id: str) -> dict[str, str]:
    """Who asks, by `user:password`, and which of the server's devices is to send; its only one where none is named."""
    # RFC 7617 §2.1: UTF-8, where the server names no other.
    token = base64.b64encode(key.get_secret_value().encode("utf-8", "replace")).decode("ascii")
    named = {"X-Device-Id": device_id} if device_id else {}
    return {"Authorization": f"Basic {token}", **named}


def private_parts(key: SecretStr) -> tuple[str, ...]:
    """What of the key must be shown nowhere: it, its password, and how it is written in the header."""
    written = key.get_secret_value()
    return (written, written.partition(":")[2], headers(key, "")["Authorization"].removeprefix("Basic "))
