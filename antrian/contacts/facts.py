"""What is known of people, as values that can be put together in any order and any number of times.

Every fact is an earliest or a latest time, or the latest word: so the same events give the same facts, however often
and in whichever order they come. Times are milliseconds since 1970, as SQLite keeps them in the least space.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from antrian.contacts.identity import PersonKey
from antrian.domain.contact import ALL_PURPOSES, Purpose, Standing

Millis = int


def millis(at: float) -> Millis:
    """Unix seconds as the facts keep them."""
    return max(0, round(at * 1_000))


def seconds(at: Millis | None) -> float | None:
    """A fact's time in unix seconds."""
    return None if at is None else at / 1_000


class ContactFacts(NamedTuple):
    """What one sender knows of one person; None for never.

    Attributes:
        known_first: the person was first known.
        known_last: and last, so that a refusal in between can be told.
        sent_first: a provider first took a message for them while they were cold.
        sent_last: and last.
        refused: a provider last refused a message because they were cold.
        wrote_last: the person last wrote to the sender.
    """

    known_first: Millis | None = None
    known_last: Millis | None = None
    sent_first: Millis | None = None
    sent_last: Millis | None = None
    refused: Millis | None = None
    wrote_last: Millis | None = None

    def and_also(self, other: "ContactFacts") -> "ContactFacts":
        """Both together."""
        return ContactFacts(
            _earliest(self.known_first, other.known_first),
            _latest(self.known_last, other.known_last),
            _earliest(self.sent_first, other.sent_first),
            _latest(self.sent_last, other.sent_last),
            _latest(self.refused, other.refused),
            _latest(self.wrote_last, other.wrote_last),
        )

    @property
    def standing(self) -> Standing:
        """How well the sender knows the person: after a refusal not at all, until there is something newer."""
        refused = -1 if self.refused is None else self.refused
        if self.known_last is not None and self.known_last > refused:
            return Standing.KNOWN
        if self.sent_last is not None and self.sent_last > refused:
            return Standing.CONTACTED
        return Standing.COLD

    @property
    def since(self) -> Millis | None:
        """Since when that is so; None where nothing ever happened."""
        match self.standing:
            case Standing.KNOWN:
                return _after(self.refused, self.known_first, self.known_last)
            case Standing.CONTACTED:
                return _after(self.refused, self.sent_first, self.sent_last)
        return self.refused


NOTHING = ContactFacts()


class SenderFacts(NamedTuple):
    """What is known of one sender; None for never.

    Attributes:
        cold_first: a provider first took a message for a cold contact.
        refused: the provider last refused one.
        held_until: and how long it is to be left alone.
        released: an admin last ended that.
    """

    cold_first: Millis | None = None
    refused: Millis | None = None
    held_until: Millis | None = None
    released: Millis | None = None

    def and_also(self, other: "SenderFacts") -> "SenderFacts":
        """Both together."""
        mine, theirs = (self.refused, self.held_until), (other.refused, other.held_until)
        refused, held_until = max(mine, theirs, key=lambda told: tuple(-1 if at is None else at for at in told))
        return SenderFacts(
            _earliest(self.cold_first, other.cold_first), refused, held_until, _latest(self.released, other.released)
        )

    @property
    def cold_held_until(self) -> Millis | None:
        """Until when cold contacts are held; None where they are not."""
        if self.refused is None or (self.released is not None and self.released >= self.refused):
            return None
        return self.held_until


class OptWord(NamedTuple):
    """The latest word of a person that they want no messages of a purpose, or that they want them again.

    Attributes:
        at: when.
        is_out: which of the two; both are kept, because one for all purposes counts for each of them.
        recipient: as the event had it.
        by: who recorded it.
        words: what they said.
        channel: where.
    """

    at: Millis
    is_out: bool
    recipient: str
    by: str
    words: str
    channel: str


class LinkedIdentity(NamedTuple):
    """Whose identity it is; the later word counts."""

    at: Millis
    phone: int
    kind: str


class Zone(NamedTuple):
    """A person's time zone; the later word counts."""

    at: Millis
    name: str


#: Instead of a day: the message that had it was sent.
SLOT_OF_SENT = "sent"

#: Instead of a day: the message is not to be sent.
SLOT_OF_CANCELLED = "cancelled"


class SlotWord(NamedTuple):
    """Which day a held message was given; the later word counts.

    Attributes:
        at: when.
        day: `YYYY-MM-DD`; empty where it has none any more, `SLOT_OF_SENT` once the message was sent, and
            `SLOT_OF_CANCELLED` once an admin cancelled it, whether it had a day or not.
    """

    at: Millis
    day: str

    @property
    def is_day(self) -> bool:
        """Whether the message has a day."""
        return self.day not in {"", SLOT_OF_SENT, SLOT_OF_CANCELLED}


@dataclass(slots=True)
class Facts:
    """Facts by their keys.

    Attributes:
        contacts: by sender and person.
        senders: by sender.
        opt_words: by person, purpose and which of the two it is.
        zones: by person.
        links: by identity.
        slots: by lane and message.
    """

    contacts: dict[tuple[str, PersonKey], ContactFacts] = field(default_factory=dict)
    senders: dict[str, SenderFacts] = field(default_factory=dict)
    opt_words: dict[tuple[PersonKey, str, bool], OptWord] = field(default_factory=dict)
    zones: dict[PersonKey, Zone] = field(default_factory=dict)
    links: dict[str, LinkedIdentity] = field(default_factory=dict)
    slots: dict[tuple[str, str], SlotWord] = field(default_factory=dict)

    def __len__(self) -> int:
        others = len(self.senders) + len(self.opt_words) + len(self.links) + len(self.slots)
        return len(self.contacts) + len(self.zones) + others

    def add_contact(self, sender: str, person: PersonKey, facts: ContactFacts) -> None:
        """Learn what a sender knows of a person."""
        key = (sender, person)
        known = self.contacts.get(key)
        self.contacts[key] = facts if known is None else known.and_also(facts)

    def add_sender(self, sender: str, facts: SenderFacts) -> None:
        """Learn of a sender."""
        known = self.senders.get(sender)
        self.senders[sender] = facts if known is None else known.and_also(facts)

    def add_opt_word(self, person: PersonKey, purpose: str, word: OptWord) -> None:
        """Learn what a person wants."""
        key = (person, purpose, word.is_out)
        self.opt_words[key] = max(self.opt_words.get(key, word), word)

    def add_zone(self, person: PersonKey, zone: Zone) -> None:
        """Learn where a person lives."""
        self.zones[person] = max(self.zones.get(person, zone), zone)

    def add_link(self, identity: str, link: LinkedIdentity) -> None:
        """Learn whose identity it is."""
        self.links[identity] = max(self.links.get(identity, link), link)

    def add_slot(self, lane: str, message_id: str, word: SlotWord) -> None:
        """Learn which day a message has."""
        key = (lane, message_id)
        self.slots[key] = max(self.slots.get(key, word), word)

    def add(self, other: Self) -> None:
        """Learn all that others know."""
        for (sender, person), facts in other.contacts.items():
            self.add_contact(sender, person, facts)
        for name, one in other.senders.items():
            self.add_sender(name, one)
        for (person, purpose, _), word in other.opt_words.items():
            self.add_opt_word(person, purpose, word)
        for person, zone in other.zones.items():
            self.add_zone(person, zone)
        for identity, link in other.links.items():
            self.add_link(identity, link)
        for (lane, message_id), slot in other.slots.items():
            self.add_slot(lane, message_id, slot)


def in_force(words: Iterable[tuple[str, OptWord]]) -> dict[str, OptWord]:
    """The opt-outs of one person that count, by purpose: those that nothing later takes back.

    One of all purposes stands for each of them; who wants one again after it is still opted out of the others.

    Args:
        words: all of the person's with their purposes, from each of their identities.
    """
    out: dict[str, OptWord] = {}
    back: dict[str, Millis] = {}
    for purpose, word in words:
        if word.is_out:
            out[purpose] = max(out.get(purpose, word), word)
        else:
            back[purpose] = max(back.get(purpose, word.at), word.at)
    everything, again = out.get(ALL_PURPOSES), back.get(ALL_PURPOSES, -1)
    if everything is not None and everything.at < again:
        everything = None
    counting = {}
    for purpose in Purpose:
        told = max((word for word in (out.get(purpose), everything) if word is not None), default=None)
        # Of two at once the one that keeps away counts.
        if told is not None and told.at >= max(again, back.get(purpose, -1)):
            counting[purpose.value] = told
    is_everything = everything is not None and all(everything.at >= back.get(purpose, -1) for purpose in Purpose)
    return {ALL_PURPOSES: everything} if everything is not None and is_everything else counting


def _earliest(one: Millis | None, other: Millis | None) -> Millis | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _latest(one: Millis | None, other: Millis | None) -> Millis | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _after(limit: Millis | None, *times: Millis | None) -> Millis | None:
    """The earliest of the times that is later than the limit."""
    return min((at for at in times if at is not None and (limit is None or at > limit)), default=None)
