"""Pause, resume, force and cancel: what an admin can tell a lane. Each call uses a connection of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingChannel

from admin_api.lane.lane_reader import is_anybody_listening, require_lane
from broker.connection import broker_urls, open_channel
from broker.control import Command, Control
from broker.events import EVENT_PROPERTIES, Event
from broker.lane_state import LaneState, read_state, send_control, tell_consumers, write_state
from broker.settings import Settings
from broker.topology import Names


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
    """

    lane: str
    forced: bool
    resumed: bool


def set_paused(settings: Settings, lane: str, actor: str, *, paused: bool) -> Paused:
    """Stop before the next send, or go on; it lasts, whatever is restarted meanwhile.

    Who paused a lane, and when, is not overwritten by somebody who only says it again.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with _lane_channel(settings, lane) as channel:
        changed = read_state(channel, names, lane).paused is not paused
        if changed:
            write_state(channel, names, lane, paused=paused, actor=actor)
        else:
            # Whoever says it again may have seen that a consumer does not keep to it.
            tell_consumers(channel, names, lane, paused=paused, actor=actor)
        state: LaneState = read_state(channel, names, lane)
    return Paused(lane, state.paused, changed, state.actor, state.since)


def force(settings: Settings, lane: str, actor: str) -> Forced:
    """End the present pause, or the wait for the provider, once; and resume a paused lane.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with _lane_channel(settings, lane) as channel:
        resumed = read_state(channel, names, lane).paused
        if resumed:
            write_state(channel, names, lane, paused=False, actor=actor)
        heard = is_anybody_listening(channel, names)
        if heard:
            send_control(channel, names, Control(Command.FORCE, lane, actor))
            _tell(channel, names, Event("lane.forced", time.time(), lane, source=actor))
    return Forced(lane, heard, resumed)


def cancel(settings: Settings, lane: str, message_id: str, actor: str) -> None:
    """Ask that a message not be sent; one that is being sent, or waits for its retry in a moment, may still go out.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with _lane_channel(settings, lane) as channel:
        _tell(channel, names, Event("outcome.cancelling", time.time(), lane, message_id, source=actor))


def _tell(channel: BlockingChannel, names: Names, event: Event) -> None:
    channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


@contextmanager
def _lane_channel(settings: Settings, lane: str) -> Iterator[BlockingChannel]:
    """A channel to a broker that has the lane."""
    with open_channel(broker_urls(settings), name="antrian admin") as channel:
        require_lane(channel, Names(settings.whatsapp_queue_namespace), lane)
        yield channel
