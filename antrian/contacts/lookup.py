"""What is known of a person or a sender: what is written, and what was learnt since, put together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from antrian.contacts.facts import (
    NOTHING,
    ContactFacts,
    Facts,
    LinkedIdentity,
    OptWord,
    SenderFacts,
    SlotWord,
    Zone,
)
from antrian.contacts.identity import PersonKey, person_key
from antrian.contacts.store import Store

_Word = TypeVar("_Word", LinkedIdentity, Zone, SlotWord)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Both, at one moment.

    Attributes:
        store: what is written.
        pending: what was learnt since.
    """

    store: Store
    pending: Facts

    def keys(self, recipient: str) -> tuple[PersonKey, ...]:
        """All keys under which facts about a person may be: the phone number first, where it is known."""
        key = person_key(recipient)
        if key is None:
            return ()
        if not isinstance(key, int):
            link = self._link(key)
            if link is None:
                return (key,)
            key = link.phone
        return (key, *sorted(self.identities(key)))

    def identities(self, phone: int) -> dict[str, str]:
        """A person's other identities, and the kind of each."""
        candidates = self.store.links_to(phone)
        candidates |= {identity: link for identity, link in self.pending.links.items() if link.phone == phone}
        links = {identity: self._link(identity) for identity in candidates}
        # One that was given to another number since is no more theirs.
        return {identity: link.kind for identity, link in links.items() if link is not None and link.phone == phone}

    def identity(self, phone: int, kind: str) -> str:
        """A person's identity of a kind, the one that was heard of last; empty where none is known."""
        links = ((self._link(identity), identity) for identity, one in self.identities(phone).items() if one == kind)
        return max(((link.at, identity) for link, identity in links if link is not None), default=(0, ""))[1]

    def _link(self, identity: str) -> LinkedIdentity | None:
        return _later(self.store.link(identity), self.pending.links.get(identity))

    def contact(self, sender: str, keys: tuple[PersonKey, ...]) -> ContactFacts:
        """What a sender knows of a person."""
        facts = NOTHING
        for key in keys:
            facts = facts.and_also(self.store.contact(sender, key))
            facts = facts.and_also(self.pending.contacts.get((sender, key), NOTHING))
        return facts

    def contacts(self, keys: tuple[PersonKey, ...]) -> dict[str, ContactFacts]:
        """What each sender knows of a person."""
        senders = {sender for key in keys for sender in self.store.contacts_of(key)}
        senders |= {sender for sender, key in self.pending.contacts if key in keys}
        return {sender: self.contact(sender, keys) for sender in sorted(senders)}

    def zone(self, keys: tuple[PersonKey, ...]) -> Zone | None:
        """A person's time zone."""
        latest: Zone | None = None
        for key in keys:
            latest = _later(_later(latest, self.store.zone(key)), self.pending.zones.get(key))
        return latest

    def opt_words(self, keys: tuple[PersonKey, ...]) -> Iterator[tuple[str, OptWord]]:
        """A person's words, by purpose; of one purpose there may be several."""
        for key in keys:
            yield from self.store.opt_words(key)
            # Few, and none at all most of the time.
            yield from (
                (purpose, word) for (person, purpose, _), word in self.pending.opt_words.items() if person == key
            )

    def sender(self, sender: str) -> SenderFacts:
        """What is known of a sender."""
        facts, pending = self.store.sender(sender), self.pending.senders.get(sender)
        return facts if pending is None else facts.and_also(pending)

    def slot(self, lane: str, message_id: str) -> SlotWord | None:
        """Which day a message was given."""
        return _later(self.store.slot(lane, message_id), self.pending.slots.get((lane, message_id)))

    def slots(self, lane: str) -> dict[str, SlotWord]:
        """What was last said of the days of a lane's messages, by their ids."""
        words = self.store.slots_of(lane)
        for (one, message_id), word in self.pending.slots.items():
            if one == lane:
                words[message_id] = max(words.get(message_id, word), word)
        return words


def _later(one: _Word | None, other: _Word | None) -> _Word | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
