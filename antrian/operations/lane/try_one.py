"""Exactly one message of a paused lane, which stays paused: permitted here, chosen and sent by a consumer.

The answer names the message that the consumer chose; it is sent as soon as the pause after the last send, and the
provider's silence, are over. See `consumer.lane.permit` for what holds when a process dies on the way.
"""

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import bind_own_queue, broker_urls
from antrian.broker.event_log import write_events
from antrian.broker.lane_state import read_state, send_control
from antrian.broker.topology import Names
from antrian.domain.control import CHOICE_SECONDS, TRY_ONE_SECONDS, Command, Control
from antrian.domain.errors import AntrianError, BrokerError
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.lane_reader import lane_channel
from antrian.operations.lane.queue_counts import is_anybody_listening

#: Seconds that an answer may still be on its way after the command was withdrawn.
_LAST_LOOK = 1.0


@dataclass(frozen=True, slots=True)
class Tried:
    """Which message was chosen.

    Attributes:
        lane: which lane; it stays paused.
        message_id: the message.
        wait: seconds until its attempt can begin.
        reason: what it waits for: `pause`, `throttled`, `unavailable`; empty when it waits for nothing.
    """

    lane: str
    message_id: str
    wait: float
    reason: str


class NotTried(AntrianError):
    """No message was chosen, and none will be sent.

    Args:
        code: `not-paused`, `nothing-waits`, `no-consumer` or `no-answer`.
        sentence: for people.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def try_one(settings: Settings, lane: str, actor: str) -> Tried:
    """Have exactly one message of a paused lane sent; returns when it is known which.

    Args:
        settings: of the process.
        lane: which lane.
        actor: who asks, for the journal.

    Raises:
        NotTried: the lane is not paused, nothing waits in it, or no consumer answers within seconds.
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with lane_channel(settings, lane) as channel:
        if not read_state(channel, names, lane).paused:
            raise NotTried("not-paused", f"Lane {lane} is not paused: it sends its messages by itself.")
        _require_waiting(channel, names, lane)
        if not is_anybody_listening(channel, names):
            raise NotTried("no-consumer", "No consumer is running, so nothing can be sent.")
        chosen = _Command(channel, broker_urls(settings), names, lane=lane, actor=actor).run()
        if chosen is None:
            _require_waiting(channel, names, lane)
            raise NotTried(
                "no-answer", "No consumer answered in time, so the command was withdrawn and nothing is sent."
            )
    tried = Event(EventName.LANE_TRIED, time.time(), lane, chosen.message_id, chosen.generation, source=actor)
    # The consumer has told already who asked; without this line as well, the answer is as true.
    with suppress(BrokerError):
        write_events(broker_urls(settings), names, [tried], name="antrian admin")
    wait, reason = chosen.details.get("wait"), chosen.details.get("reason")
    seconds = float(wait) if isinstance(wait, int | float) else 0.0
    return Tried(lane, chosen.message_id, seconds, str(reason or ""))


class _Command:
    """One command, and its answer: what a consumer tells of it."""

    def __init__(self, channel: BlockingChannel, urls: Sequence[str], names: Names, *, lane: str, actor: str) -> None:
        self._channel = channel
        self._urls = urls
        self._names = names
        self._lane = lane
        self._actor = actor
        self._permit = str(uuid.uuid4())

    def run(self) -> Event | None:
        """The event that names the message; None when no consumer chose one in time."""
        # Before the command: an answer may come at once.
        queue = bind_own_queue(self._channel, self._names.events, "outcome.chosen.#")
        self._tell(Command.TRY_ONE)
        chosen = self._answer(queue, CHOICE_SECONDS)
        if chosen is None:
            self._tell(Command.WITHDRAW)
            chosen = self._answer(queue, _LAST_LOOK)
        return chosen

    def _tell(self, command: Command) -> None:
        control = Control(
            command, self._lane, self._actor, permit=self._permit, expires_at=time.time() + TRY_ONE_SECONDS
        )
        send_control(self._urls, self._names, control)

    def _answer(self, queue: str, patience: float) -> Event | None:
        deadline = time.monotonic() + patience
        found = None
        while found is None and (left := deadline - time.monotonic()) > 0:
            for method, _properties, body in self._channel.consume(queue, auto_ack=True, inactivity_timeout=left):
                event = Event.of_delivery(body, method.routing_key) if method and body else None
                found = event if event is not None and self._is_ours(event) else None
                break
        self._channel.cancel()
        return found

    def _is_ours(self, event: Event) -> bool:
        permits = event.details.get("permits")
        return event.lane == self._lane and isinstance(permits, list) and self._permit in permits


def _require_waiting(channel: BlockingChannel, names: Names, lane: str) -> None:
    if not channel.queue_declare(names.lane(lane), passive=True).method.message_count:
        raise NotTried("nothing-waits", f"No message that could be sent is waiting in lane {lane}.")
