"""The dead-letter queue: look through it, put letters back into their lanes, or delete them for good.

A letter is put back as a copy with the next generation, and deleted only once the broker has the copy. If that is
interrupted, the letter is still there, and putting it back again makes a copy of the *same* generation: the consumer
sends a message of one generation once, however many copies of it arrive.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from admin_api.dead_letter import DeadLetter
from admin_api.parcel import Found, Publication, event_publication
from admin_api.sieve import Sieve, Tally
from broker.connection import broker_urls, open_channel
from broker.events import Event
from broker.message import encode, retry_of
from broker.settings import Settings
from broker.topology import Names


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant: those that fit everything that is given.

    Attributes:
        ids: message ids; any of them.
        code: of the last failure.
        failure_class: of the last failure.
        source: the publishing service.
        lane: where it was to be sent from.
    """

    ids: frozenset[str] = frozenset()
    code: str | None = None
    failure_class: str | None = None
    source: str | None = None
    lane: str | None = None

    def __contains__(self, letter: DeadLetter) -> bool:
        wanted = (self.code, self.failure_class, self.source, self.lane)
        given = (letter.code, letter.failure_class, letter.source, letter.lane)
        fits = all(one is None or one == other for one, other in zip(wanted, given, strict=True))
        return fits and (not self.ids or letter.message_id in self.ids)


EVERYTHING = Selection()


@dataclass(slots=True)
class Report:
    """What was done with the selected letters.

    Attributes:
        selected: how many were selected.
        done: how many were put back, or deleted.
        unreadable: how many cannot be put back because nobody can read them; they stay.
        refused: how many the broker did not accept (no such lane); they stay.
        found: the ids among the selection's that were there.
    """

    selected: int = 0
    done: int = 0
    unreadable: int = 0
    refused: int = 0
    found: set[str] = field(default_factory=set)


class DeadLetters:
    """The dead letters of a namespace.

    Args:
        settings: of the process.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(self, settings: Settings) -> None:
        self._urls = broker_urls(settings)
        self._names = Names(settings.whatsapp_queue_namespace)

    def count(self) -> int:
        """How many there are now, without those that somebody is looking at."""
        with open_channel(self._urls, name="antrian dead letters") as channel:
            return int(channel.queue_declare(self._names.dead, passive=True).method.message_count)

    def each(
        self,
        selection: Selection,
        look: Callable[[DeadLetter], object],
        *,
        is_enough: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> int:
        """Look at every selected letter, oldest first; all keep their place.

        While this runs, nobody else sees the letters that have been looked at.

        Returns:
            How many were selected.

        Raises:
            BrokerError: it was interrupted.
        """
        selected = 0

        def decide(found: Found) -> None:
            nonlocal selected
            letter = self._letter(found)
            if letter in selection:
                selected += 1
                look(letter)

        Sieve(self._urls, [self._names.dead], decide, is_enough=is_enough, on_progress=on_progress).run()
        return selected

    def redrive(
        self,
        selection: Selection,
        actor: str,
        *,
        per_second: float | None = None,
        limit: int | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> Report:
        """Put the selected letters that are there now back into their lanes, oldest first, as if for the first attempt.

        Args:
            selection: which.
            actor: who does it, for the journal.
            per_second: at most so many per second.
            limit: at most so many in all.
            on_progress: called after each letter.

        Raises:
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        return self._take(
            selection,
            lambda letter: self._put_back(letter, actor),
            per_second=per_second,
            limit=limit,
            on_progress=on_progress,
        )

    def purge(
        self, selection: Selection, actor: str, *, on_progress: Callable[[Tally], None] = lambda _tally: None
    ) -> Report:
        """Delete the selected letters that are there now; the journal tells of each.

        Raises:
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        return self._take(
            selection, lambda letter: [self._told("outcome.purged", letter, actor)], on_progress=on_progress
        )

    def _take(
        self,
        selection: Selection,
        replace: Callable[[DeadLetter], Sequence[Publication] | None],
        *,
        on_progress: Callable[[Tally], None],
        per_second: float | None = None,
        limit: int | None = None,
    ) -> Report:
        report = Report()

        def decide(found: Found) -> Sequence[Publication] | None:
            letter = self._letter(found)
            if letter not in selection:
                return None
            report.selected += 1
            if selection.ids:
                report.found.add(letter.message_id)
            steps = replace(letter)
            report.unreadable += steps is None
            return steps

        sieve = Sieve(
            self._urls,
            [self._names.dead],
            decide,
            is_enough=lambda: limit is not None and report.selected >= limit,
            per_second=per_second,
            on_progress=on_progress,
        )
        tally = sieve.run()
        report.done, report.refused = tally.taken, tally.refused
        return report

    def _put_back(self, letter: DeadLetter, actor: str) -> Sequence[Publication] | None:
        if letter.message is None:
            return None
        body, properties = encode(retry_of(letter.message, None, attempt=1))
        copy = Publication(self._names.messages, letter.lane, body, properties, mandatory=True)
        # The event first: it takes back a cancellation, so the consumer must have heard of it when the copy arrives.
        return [self._told("outcome.redriven", letter, actor), copy]

    def _told(self, name: str, letter: DeadLetter, actor: str) -> Publication:
        event = Event(
            name=name,
            at=time.time(),
            lane=letter.lane,
            message_id=letter.message_id,
            generation=letter.generation,
            attempt=letter.attempts,
            source=actor,
            details={"failure_class": letter.failure_class, "code": letter.code},
        )
        return event_publication(self._names, event)

    def _letter(self, found: Found) -> DeadLetter:
        return DeadLetter.of(found, self._names, now=time.time())
