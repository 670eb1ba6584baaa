"""Whether a lane is paused, by whom and since when: a queue of length one that survives everything."""

import json
import time
from dataclasses import asdict, dataclass

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.topology import Names
from antrian.domain.control import Command, Control, encode_control
from antrian.domain.event_name import EventName
from antrian.domain.events import EVENT_PROPERTIES, Event

#: Another reader holds the value for a moment while it looks; so an empty queue is asked again before it is believed.
_LOOKS = 5
_BETWEEN_LOOKS = 0.03


@dataclass(frozen=True, slots=True)
class PauseState:
    """The lasting state of a lane.

    Attributes:
        paused: whether sending is stopped.
        actor: who last changed it.
        since: when, unix seconds; 0 when it never was changed.
    """

    paused: bool = False
    actor: str = ""
    since: float = 0.0


def read_state(channel: BlockingChannel, names: Names, lane: str) -> PauseState:
    """The lane's state; the value stays in its queue."""
    for look in range(_LOOKS):
        if look:
            channel.connection.sleep(_BETWEEN_LOOKS)
        method, _properties, body = channel.basic_get(names.state(lane))
        if method is not None:
            channel.basic_nack(method.delivery_tag, requeue=True)
            return _decode(body or b"")
    return PauseState()


def write_state(channel: BlockingChannel, names: Names, lane: str, *, paused: bool, actor: str) -> None:
    """Change the lane's state for good, tell the running consumers, and write it into the journal.

    Returns when the broker has all three; the channel must be in confirm mode.
    """
    state = PauseState(paused=paused, actor=actor, since=time.time())
    durable = pika.BasicProperties(delivery_mode=2, content_type="application/json")
    channel.basic_publish(names.states, lane, json.dumps(asdict(state)).encode(), durable, mandatory=True)
    tell_consumers(channel, names, lane, paused=paused, actor=actor)
    event = Event(EventName.LANE_PAUSED if paused else EventName.LANE_RESUMED, state.since, lane, source=actor)
    channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def tell_consumers(channel: BlockingChannel, names: Names, lane: str, *, paused: bool, actor: str) -> None:
    """Have the running consumers stop before the next send, or go on; it does not last beyond their lives."""
    send_control(channel, names, Control(Command.PAUSE if paused else Command.RESUME, lane, actor))


def send_control(channel: BlockingChannel, names: Names, control: Control) -> None:
    """Send one command to every running consumer."""
    body, properties = encode_control(control)
    channel.basic_publish(names.control, "", body, properties)


def _decode(body: bytes) -> PauseState:
    try:
        values = json.loads(body)
        return PauseState(bool(values["paused"]), str(values["actor"]), float(values["since"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        # Whoever wrote it wanted something of this lane; sending on would be the harm that cannot be undone.
        return PauseState(paused=True, actor="unreadable state")
