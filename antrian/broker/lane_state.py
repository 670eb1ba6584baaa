"""Whether a lane is paused, by whom and since when: a queue of length one that survives everything."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.event_log import PublishArguments, event_arguments, publish_all
from antrian.broker.topology import Names
from antrian.domain.control import Command, Control, encode_control
from antrian.domain.event_name import EventName
from antrian.domain.events import Event

#: Seconds between the looks at a lane's state; a reader of an older version holds the value while it looks, so an empty
#: queue is asked again before it is believed. A consumer that overlooks a pause would send, so it looks longest.
PATIENT = (0.03, 0.03, 0.03, 0.03)
#: The same for those who only show the state.
QUICK = (0.01, 0.02)


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


def read_state(
    channel: BlockingChannel, names: Names, lane: str, between_looks: Sequence[float] = PATIENT
) -> PauseState:
    """The lane's state; the value stays in its queue."""
    return read_states(channel, names, [lane], between_looks)[lane]


def read_states(
    channel: BlockingChannel, names: Names, lanes: Iterable[str], between_looks: Sequence[float] = PATIENT
) -> dict[str, PauseState]:
    """The states of several lanes, each after one round trip; those that seem empty are looked at again together.

    Args:
        channel: open; the looking is done over another one of its connection.
        names: of the namespace.
        lanes: which lanes; their queues exist.
        between_looks: seconds to wait before each further look at an empty queue.
    """
    found: dict[str, PauseState] = {}
    left = list(dict.fromkeys(lanes))
    with channel.connection.channel() as probe:
        for pause in (0.0, *between_looks):
            if pause and left:
                channel.connection.sleep(pause)
            for lane in left:
                body = _look(probe, names.state(lane))
                if body is not None:
                    found[lane] = decode_state(body)
            left = [lane for lane in left if lane not in found]
    return found | {lane: PauseState() for lane in left}


def _look(probe: BlockingChannel, queue: str) -> bytes | None:
    """The body of the only message, which is back in its queue when this returns; None when none is there.

    Taking and giving back leave in one piece, so that a reader that stands still in between hides nothing from others.
    """
    bodies: list[bytes] = []
    # pika's own way waits for the answer before anything else can be sent. Its note of an empty answer is put back.
    with probe._basic_getempty_result:  # noqa: SLF001
        probe._impl.basic_get(queue, lambda _channel, _method, _properties, body: bodies.append(body))  # noqa: SLF001
        # Tag 0: all that this channel holds, and no error when it holds nothing.
        probe.basic_nack(0, multiple=True, requeue=True)
        # Answered after what was asked before it.
        probe.queue_declare(queue, passive=True)
    return bodies[0] if bodies else None


def write_state(urls: Sequence[str], names: Names, lane: str, *, paused: bool, actor: str) -> None:
    """Change the lane's state for good, tell the running consumers, and write it into the journal.

    Returns when the broker has all three.

    Raises:
        BrokerError: the broker is not there, or has no such lane.
    """
    state = PauseState(paused=paused, actor=actor, since=time.time())
    durable = pika.BasicProperties(delivery_mode=2, content_type="application/json")
    event = Event(EventName.LANE_PAUSED if paused else EventName.LANE_RESUMED, state.since, lane, source=actor)
    publications = (
        PublishArguments(names.states, lane, json.dumps(asdict(state)).encode(), durable, mandatory=True),
        _control_arguments(names, _pause_control(lane, paused=paused, actor=actor)),
        event_arguments(names, event),
    )
    publish_all(urls, publications, name="antrian admin")


def tell_consumers(urls: Sequence[str], names: Names, lane: str, *, paused: bool, actor: str) -> None:
    """Have the running consumers stop before the next send, or go on; it does not last beyond their lives."""
    send_control(urls, names, _pause_control(lane, paused=paused, actor=actor))


def send_control(urls: Sequence[str], names: Names, control: Control, *events: Event) -> None:
    """Send one command to every running consumer, and write what the journal is to know of it.

    Raises:
        BrokerError: the broker is not there.
    """
    publications = [_control_arguments(names, control), *(event_arguments(names, event) for event in events)]
    publish_all(urls, publications, name="antrian admin")


def _pause_control(lane: str, *, paused: bool, actor: str) -> Control:
    return Control(Command.PAUSE if paused else Command.RESUME, lane, actor)


def _control_arguments(names: Names, control: Control) -> PublishArguments:
    return PublishArguments(names.control, "", *encode_control(control))


def decode_state(body: bytes) -> PauseState:
    """The state in an entry of the queue; what cannot be read pauses the lane."""
    try:
        values = json.loads(body)
        return PauseState(bool(values["paused"]), str(values["actor"]), float(values["since"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        # It was meant to change something about this lane, and a message that is sent cannot be taken back.
        return PauseState(paused=True, actor="unreadable state")
