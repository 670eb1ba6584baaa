"""What an event says about contacts; no I/O.

Whoever may write into the exchange may write anything: what is not of the right type says nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeGuard

from antrian.contacts.facts import (
    SLOT_OF_CANCELLED,
    SLOT_OF_SENT,
    ContactFacts,
    Facts,
    LinkedIdentity,
    Millis,
    OptWord,
    SenderFacts,
    SlotWord,
    Zone,
    millis,
)
from antrian.contacts.identity import identity_key, is_text, person_key
from antrian.domain.contact import ALL_PURPOSES, Purpose
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lane_limits import zone_name
from antrian.domain.slots import GIVES_BACK

#: Purposes that an opt-out can be for.
PURPOSES = frozenset({*Purpose, ALL_PURPOSES})

#: What an admin wants of a message that waits.
_CANCELLATIONS = frozenset({EventName.CANCELLING, EventName.UNCANCELLED})

#: Characters of what a person said, and of other texts, that are kept.
LONGEST_WORDS = 200
_LONGEST = 64
_LONGEST_ID = 255

#: The end of the year 9999, unix seconds.
_LATEST = 253_402_300_799

#: Seconds for which cold contacts are held after a refusal that names no end.
COLD_PAUSE = 86_400.0


def learn(facts: Facts, event: Event) -> None:
    """Add what an event says to what is known."""
    take = _TAKERS.get(event.name)
    if take is not None:
        take(facts, millis(event.at), event.details)
    if (word := slot_word(event)) is not None:
        facts.add_slot(event.lane, event.message_id, word)


def slot_word(event: Event) -> SlotWord | None:
    """The day that an event gives its message, or that it gives back; None where it says nothing of it."""
    if not is_text(event.message_id, _LONGEST_ID) or not is_text(event.lane, _LONGEST):
        return None
    # Every message has a beginning, which says itself whether there was a slot: the file must not grow with each.
    if event.name in GIVES_BACK and (event.name != EventName.SENDING or event.details.get("slot")):
        return SlotWord(millis(event.at), "")
    if event.name == EventName.SENT:
        return SlotWord(millis(event.at), SLOT_OF_SENT) if event.details.get("had_slot") is True else None
    if event.name in _CANCELLATIONS:
        return SlotWord(millis(event.at), SLOT_OF_CANCELLED if event.name == EventName.CANCELLING else "")
    slot = event.details.get("slot") if event.name == EventName.HELD else None
    return SlotWord(millis(event.at), slot) if is_day(slot) else None


def _known(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    sender, recipients = _text(details.get("sender")), details.get("recipients")
    if not sender or not isinstance(recipients, list):
        return
    wrote_at = at if details.get("how") == "inbound" else None
    contact = ContactFacts(known_first=at, known_last=at, wrote_last=wrote_at)
    zone = zone_name(details.get("timezone"))
    for recipient in recipients:
        person = person_key(recipient)
        if person is None:
            continue
        facts.add_contact(sender, person, contact)
        if zone is not None:
            facts.add_zone(person, Zone(at, zone))


def _sent(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    sender, person = _text(details.get("sender")), person_key(details.get("recipient"))
    if sender and person is not None and details.get("cold") is True:
        facts.add_contact(sender, person, ContactFacts(None, None, at, at))
        known = facts.senders.get(sender)
        # Each of them tells when the first one was, and nearly all say nothing new.
        if known is None or known.cold_first is None or at < known.cold_first:
            facts.add_sender(sender, SenderFacts(cold_first=at))


def _failed(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    if details.get("failure_class") != FailureClass.COLD_REFUSED:
        return
    sender, person = _text(details.get("sender")), person_key(details.get("recipient"))
    if not sender:
        return
    if person is not None:
        facts.add_contact(sender, person, ContactFacts(refused=at))
    until = details.get("cold_held_until")
    is_told = isinstance(until, int | float) and 0 <= until <= _LATEST
    held_until = millis(float(until or 0)) if is_told else at + millis(COLD_PAUSE)
    facts.add_sender(sender, SenderFacts(refused=at, held_until=held_until))


def _opted_out(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    _take_word(facts, at, details, is_out=True)


def _opted_in(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    _take_word(facts, at, details, is_out=False)


def _take_word(facts: Facts, at: Millis, details: Mapping[str, Any], *, is_out: bool) -> None:
    recipient, purpose = details.get("recipient"), details.get("purpose")
    person = person_key(recipient)
    if person is None or not isinstance(purpose, str) or purpose not in PURPOSES:
        return
    by, channel = _text(details.get("by")), _text(details.get("channel"))
    words = _text(details.get("words"), LONGEST_WORDS)
    facts.add_opt_word(person, purpose, OptWord(at, is_out, str(recipient), by, words, channel))


def _linked(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    phone, identities = person_key(details.get("recipient")), details.get("identities")
    if not isinstance(phone, int) or not isinstance(identities, dict):
        return
    for kind, identity in identities.items():
        key = identity_key(kind, identity)
        if key is not None:
            facts.add_link(key, LinkedIdentity(at, phone, kind))


def _cold_released(facts: Facts, at: Millis, details: Mapping[str, Any]) -> None:
    sender = _text(details.get("sender"))
    if sender:
        facts.add_sender(sender, SenderFacts(released=at))


def is_day(value: object) -> TypeGuard[str]:
    """Whether it is a day as events write it, `YYYY-MM-DD`."""
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _text(value: object, longest: int = 4 * _LONGEST) -> str:
    cut = value[:longest] if isinstance(value, str) else ""
    return cut if is_text(cut, longest) else ""


_TAKERS: Mapping[str, Callable[[Facts, Millis, Mapping[str, Any]], None]] = {
    EventName.CONTACT_KNOWN: _known,
    EventName.SENT: _sent,
    EventName.FAILED: _failed,
    EventName.CONTACT_OPTED_OUT: _opted_out,
    EventName.CONTACT_OPTED_IN: _opted_in,
    EventName.CONTACT_LINKED: _linked,
    EventName.COLD_RELEASED: _cold_released,
}
