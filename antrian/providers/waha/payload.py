"""What WAHA is asked: `POST /api/sendText`, by its OpenAPI file (devlikeapro/waha-docs, 2026.7.1). Pure."""

import hashlib
import re

from antrian.providers.contract import Outgoing

#: WAHA's own name for its first session.
DEFAULT_SESSION = "default"

#: WhatsApp's own clients give a message 22 characters, of which the first four are theirs; the next two are ours, so
#: that our messages are told from those that people write with the same session.
_PREFIX = "3EB0A7"
_DIGITS = 16
_LONGEST = 128
_PARTS = 3
_OURS = re.compile(rf"{_PREFIX}[0-9A-F]{{{_DIGITS}}}")


def send_text(session: str, outgoing: Outgoing) -> dict[str, object]:
    """The body of a request that sends a message."""
    payload: dict[str, object] = {
        "session": session,
        "chatId": f"{outgoing.recipient.removeprefix('+')}@c.us",
        "text": outgoing.text,
    }
    if outgoing.correlation_id:
        payload["id"] = sent_id(outgoing.correlation_id)
    return payload


def sent_id(correlation_id: str) -> str:
    """WhatsApp's id of the message that one attempt sends: WAHA lets us choose it, bare, as `/new-message-id` gives it.

    It follows from our name for the attempt, so that a receipt proves the attempt even where no answer came.
    """
    return _PREFIX + hashlib.sha256(correlation_id.encode("utf-8", "replace")).hexdigest()[:_DIGITS].upper()


def is_sent_id(message_id: str) -> bool:
    """Whether this may be the id of a message of ours."""
    return _OURS.fullmatch(message_id) is not None


def bare_id(written: object) -> str:
    """WhatsApp's own id in what WAHA writes: `true_62…@c.us_3EB0…`, for a group with the writer behind it, or bare.

    The address in it differs between an answer and its receipts (number or LID), and is a person's number besides.
    """
    if not isinstance(written, str) or not written.isprintable():
        return ""
    found = _parts(written)[2] or written
    return found if 0 < len(found) <= _LONGEST and "@" not in found else ""


def chat_of(written: object) -> str:
    """The address in such an id: whom the message is for, or who wrote it; empty in a bare one."""
    return _parts(written)[1] if isinstance(written, str) else ""


def _parts(written: str) -> tuple[str, str, str]:
    parts = written.split("_")
    is_whole = len(parts) >= _PARTS and parts[0] in {"true", "false"}
    return (parts[0], parts[1], parts[2]) if is_whole else ("", "", "")
