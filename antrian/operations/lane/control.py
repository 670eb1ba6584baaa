"""Pause, resume, force and cancel: what an admin can tell a lane. Each call uses a connection of its own."""

import time
import uuid
from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import broker_urls
from antrian.broker.event_log import write_events
from antrian.broker.lane_state import PauseState, read_state, send_control, tell_consumers, write_state
from antrian.broker.topology import Names
from antrian.domain.control import Command, Control
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.lane_reader import LaneReader, lane_channel
from antrian.operations.lane.queue_counts import is_anybody_listening
from antrian.operations.lane.waits import Waits


@dataclass(frozen=True, slots=True)
class Paused:
    """What a pause or a resume led to.

    Attributes:
        lane: which lane.
        paused: whether it is paused now.
        changed: whether it was otherwise before.
        actor: who paused or resumed it.
        since: when, unix seconds; 0 when nobody ever did.
    """

    lane: str
    paused: bool
    changed: bool
    actor: str
    since: float


@dataclass(frozen=True, slots=True)
class Forced:
    """What a force led to.

    Attributes:
        lane: which lane.
        forced: whether a consumer was there to hear it.
        resumed: whether the lane was paused before, and is not any more.
        ended: what it ended, as far as the record tells: `paused`, and one or both of `pause` (after the last send) and
            `throttled` or `unavailable` (the provider's silence); empty when there was nothing to end.
        waiting: messages that wait in the lane.
    """

    lane: str
    forced: bool
    resumed: bool
    ended: tuple[str, ...] = ()
    waiting: int = 0


def set_paused(settings: Settings, lane: str, actor: str, *, paused: bool) -> Paused:
    """Stop before the next send, or go on; it lasts, whatever is restarted meanwhile.

    Who paused a lane, and when, is not overwritten by somebody who only says it again.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with lane_channel(settings, lane) as channel:
        changed = read_state(channel, names, lane).paused is not paused
        if changed:
            write_state(broker_urls(settings), names, lane, paused=paused, actor=actor)
        else:
            # Whoever says it again may have seen that a consumer does not keep to it.
            tell_consumers(broker_urls(settings), names, lane, paused=paused, actor=actor)
        state: PauseState = read_state(channel, names, lane)
    return Paused(lane, state.paused, changed, state.actor, state.since)


def force(settings: Settings, lane: str, actor: str) -> Forced:
    """End the present pause, or the wait for the provider, once; and resume a paused lane.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with lane_channel(settings, lane) as channel:
        resumed = read_state(channel, names, lane).paused
        if resumed:
            write_state(broker_urls(settings), names, lane, paused=False, actor=actor)
        waits, waiting = _waits(channel, settings, lane)
        heard = is_anybody_listening(channel, names)
        if heard:
            forced = Event(EventName.LANE_FORCED, time.time(), lane, source=actor)
            command = Control(Command.FORCE, lane, actor, request=str(uuid.uuid4()))
            send_control(broker_urls(settings), names, command, forced)
    ended = (*(("paused",) if resumed else ()), *(waits.reasons if heard else ()))
    return Forced(lane, heard, resumed, ended, waiting)


def cancel(settings: Settings, lane: str, message_id: str, actor: str) -> None:
    """Ask that a message not be sent; one that is being sent, or waits for its retry in a moment, may still go out.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    _write(settings, Event(EventName.CANCELLING, time.time(), lane, message_id, source=actor))


def uncancel(settings: Settings, lane: str, message_id: str, actor: str) -> None:
    """Take a cancellation back; a message that was dropped already stays dropped.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    _write(settings, Event(EventName.UNCANCELLED, time.time(), lane, message_id, source=actor))


def _write(settings: Settings, event: Event) -> None:
    with lane_channel(settings, event.lane):
        pass
    write_events(broker_urls(settings), Names(settings.whatsapp_queue_namespace), [event], name="antrian admin")


def _waits(channel: BlockingChannel, settings: Settings, lane: str) -> tuple[Waits, int]:
    reader = LaneReader(channel, settings, lane)
    reader.catch_up()
    return reader.waits(), reader.status().waiting
