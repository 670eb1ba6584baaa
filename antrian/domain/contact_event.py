"""Events about people: what they say, and which others the contacts stream keeps beside them."""

from collections.abc import Mapping, Sequence
from typing import Literal

from antrian.domain.event_name import EventName
from antrian.domain.events import Event, outcome_key
from antrian.domain.failure_class import FailureClass

#: People that one `contact.known` names at most.
MOST_RECIPIENTS = 1_000

#: How people came to be known.
How = Literal["import", "inbound", "receipt"]

#: Where a person's wish was heard.
OptChannel = Literal["api", "cli", "page", "inbound"]


def contact_key(event: Event) -> str | None:
    """The second routing key of an event that the contacts stream needs and that its name does not lead there."""
    match event.name:
        case EventName.SENDING if event.details.get("slot"):
            what = "contact.slot"
        case EventName.SENT if event.details.get("cold") is True or event.details.get("had_slot") is True:
            what = "contact.sent"
        case EventName.FAILED if event.details.get("failure_class") == FailureClass.COLD_REFUSED:
            what = "contact.refused"
        case EventName.CANCELLING | EventName.UNCANCELLED:
            # A message may wait for longer than the outcomes stream keeps the wish.
            what = "contact.cancelling"
        case EventName.BARRIER:
            what = "contact.barrier"
        case _:
            return None
    return outcome_key(what, event.lane, event.message_id)


def known(sender: str, recipients: Sequence[str], how: How, *, at: float, source: str, timezone: str = "") -> Event:
    """A sender knows these people.

    Args:
        sender: its `Lane.sender_key`.
        recipients: E.164 with +, or other identities; at most `MOST_RECIPIENTS`.
        how: how they came to be known.
        at: when, unix seconds.
        source: who wrote it.
        timezone: of all of them, an IANA name; empty where it is not known.
    """
    details = {"sender": sender, "how": how, "recipients": list(recipients)}
    return _event(EventName.CONTACT_KNOWN, at, source, details | ({"timezone": timezone} if timezone else {}))


def opted(
    recipient: str,
    purpose: str,
    *,
    is_out: bool,
    at: float,
    source: str,
    by: str,
    channel: OptChannel,
    words: str = "",
) -> Event:
    """A person does not want messages of a purpose, or wants them again; with the proof.

    Args:
        recipient: E.164 with +, or another identity.
        purpose: a `Purpose`, or `all`.
        is_out: whether they do not want them.
        at: when, unix seconds.
        source: which process wrote it.
        by: who recorded it.
        channel: where it was heard.
        words: what the person said.
    """
    name = EventName.CONTACT_OPTED_OUT if is_out else EventName.CONTACT_OPTED_IN
    details = {"recipient": recipient, "purpose": purpose, "words": words, "channel": channel, "by": by}
    return _event(name, at, source, details)


def linked(phone: str, identities: Mapping[str, str], *, at: float, source: str) -> Event:
    """A person with this phone number (E.164 with +) has these identities, by kind: `bsuid`, `lid`."""
    return _event(EventName.CONTACT_LINKED, at, source, {"recipient": phone, "identities": dict(identities)})


def cold_released(sender: str, *, at: float, source: str) -> Event:
    """An admin lets a sender write to new contacts again."""
    return _event(EventName.COLD_RELEASED, at, source, {"sender": sender})


def _event(name: EventName, at: float, source: str, details: Mapping[str, object]) -> Event:
    return Event(str(name), at, lane="", source=source, details=details)
