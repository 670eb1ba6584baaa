"""What Fonnte is asked: `POST /send`, by docs.fonnte.com, "API Send Message". Pure."""

import re

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing

#: What Fonnte would replace: by the target's name, or what stands behind the target after a `|`.
_PLACEHOLDERS = re.compile(r"\{(?:name|var[0-9]{1,3})\}", re.IGNORECASE)


def form_of(outgoing: Outgoing) -> dict[str, str]:
    """The form of a request that sends a message."""
    return {
        "target": outgoing.recipient.removeprefix("+"),
        "message": outgoing.text,
        # The number is whole: "0" keeps Fonnte from putting a country code before it.
        "countryCode": "0",
        # A device that is not connected refuses at once, and no message waits at Fonnte for up to 7 days: here it has
        # its own expiry, and the lane holds it.
        "connectOnly": "true",
    }


def refuse(outgoing: Outgoing) -> Failed | None:
    """Say why Fonnte must not be given this message, or None if it may."""
    if _PLACEHOLDERS.search(outgoing.text):
        return Failed(
            FailureClass.REJECTED,
            "placeholder",
            "the text contains {name} or {var1}, which Fonnte would replace: write it without braces",
        )
    return None
