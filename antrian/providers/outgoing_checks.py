"""What every provider must be spared: messages and keys that it would misread."""

import re

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing

#: One number in E.164.
PHONE = re.compile(r"\+[0-9]{6,15}")
_IN_A_HEADER = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def refuse(outgoing: Outgoing) -> Failed | None:
    """Say why no gateway must be given this message, or None if one may."""
    if not PHONE.fullmatch(outgoing.recipient):
        return Failed(FailureClass.REJECTED, "bad-recipient", "the recipient is not one number in E.164")
    return refuse_text(outgoing.text)


def refuse_text(text: str) -> Failed | None:
    """Say why no provider must be given this text, or None if one may."""
    # A server that cannot decode the request finds nothing in it, and blames the credentials.
    if is_unicode(text):
        return None
    return Failed(FailureClass.REJECTED, "not-unicode", "the text contains half of a surrogate pair")


def is_unicode(text: str) -> bool:
    """Whether a text can be sent: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_header(value: SecretStr | str) -> Failed | None:
    """Say why a key, or a name of a device, cannot be sent in a header; None if it can."""
    written = value.get_secret_value() if isinstance(value, SecretStr) else value
    if _IN_A_HEADER.fullmatch(written):
        return None
    return Failed(
        FailureClass.UNAVAILABLE,
        "bad-credentials",
        "the lane's key or device has characters that no HTTP header can carry: look for a line break",
    )
