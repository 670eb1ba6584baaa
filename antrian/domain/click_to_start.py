"""A link that opens a chat with the sender, its text written already: who sends it wrote first, and is no stranger.

`https://wa.me/<digits>?text=<percent-encoded>` is WhatsApp's own "click to chat".
"""

from urllib.parse import quote

from antrian.domain.body import LONGEST_MESSAGE
from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage
from antrian.domain.lane import Lane
from antrian.domain.phone_number import normalize

_CHAT = "https://wa.me"


def click_to_start_link(sender: str, text: str) -> str:
    """The link.

    Args:
        sender: the number that is to be written to, in any usual spelling.
        text: what is written for the user, who may change it; 1 to 4096 characters.

    Raises:
        InvalidPhoneNumber: the sender is not a phone number.
        MalformedMessage: there is no text, or it is too long, or it cannot be written in a link.
    """
    if not text.strip():
        raise MalformedMessage("empty-text", "the link needs a text that the user sends: it is empty")
    if len(text) > LONGEST_MESSAGE:
        raise MalformedMessage(
            "too-long", f"the text has {len(text)} characters; at most {LONGEST_MESSAGE} are allowed"
        )
    number = normalize(sender.casefold().removeprefix("whatsapp:"))
    try:
        return f"{_CHAT}/{number.removeprefix('+')}?text={quote(text, safe='')}"
    except UnicodeEncodeError:
        raise MalformedMessage("not-unicode", "the text contains half of a surrogate pair") from None


def link_to_lane(lane: Lane, text: str) -> str:
    """The link that opens a chat with this lane's sender.

    Raises:
        MalformedMessage: as above; or the lane has no sender that is a phone number.
    """
    if not lane.sender:
        raise MalformedMessage("no-sender", f"lane {lane.name} has no sender number to write to; name one")
    try:
        return click_to_start_link(lane.sender, text)
    except InvalidPhoneNumber:
        # A provider may know a sender by a name of its own.
        detail = f"the sender of lane {lane.name} is not a phone number; name the number that people can write to"
        raise MalformedMessage("no-sender", detail) from None
