"""Has the running consumers serve the lanes of `lanes.toml` as it is now, and waits for what each makes of it."""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from antrian.broker import topology_sync
from antrian.broker.connection import bind_own_queue, broker_urls, open_channel
from antrian.broker.lane_state import send_control
from antrian.broker.topology import Names, topology
from antrian.broker.topology_sync import SyncStatus
from antrian.domain.control import Command, Control
from antrian.domain.errors import WrongUse
from antrian.domain.events import Event
from antrian.domain.hold import LADDER_HOLDS, HoldReason
from antrian.domain.lane import check_complete
from antrian.domain.settings import Settings
from antrian.operations.lane.queue_counts import is_anybody_listening

#: Seconds in which a consumer must answer at all: it may stand still for some of them, and then asks its broker.
HEARD_SECONDS = 15.0

#: Seconds after the latest new answer that another may come from a consumer that nobody knows of.
_LAST_LOOK = 1.0

REFUSED, ACCEPTED, APPLIED = "refused", "accepted", "applied"


@dataclass(frozen=True, slots=True)
class LanesAnswer:
    """What one consumer made of it.

    Attributes:
        consumer: host and process.
        result: `refused`; `accepted`, while a lane that changes still finishes its send; or `applied`.
        digest: of the file that it read; empty when it refused.
        lanes: that it serves: as before where it refused.
        added: among them, new ones.
        changed: among them, those that are different now.
        removed: that it serves no more.
        reasons: why it refused.
        replan: of lanes whose limits changed, the holds that may be others by the new ones.
    """

    consumer: str
    result: str
    digest: str = ""
    lanes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    replan: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AppliedLanes:
    """What became of a file of lanes.

    Attributes:
        digest: names the file's content.
        created: exchanges and queues that were missing in the broker.
        listening: whether any consumer was there to hear of it.
        answers: of the consumers, in the order in which they came.
        silent: how many more consumers are at the lanes and did not answer.
        left: messages that wait in lanes that are served no more, by lane.
    """

    digest: str
    created: tuple[str, ...]
    listening: bool
    answers: tuple[LanesAnswer, ...] = ()
    silent: int = 0
    left: dict[str, int] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether every running consumer serves this very file."""
        served = all(answer.result == APPLIED and answer.digest == self.digest for answer in self.answers)
        return served and not self.silent and (bool(self.answers) or not self.listening)

    @property
    def replan(self) -> dict[str, frozenset[HoldReason]]:
        """Of lanes whose limits changed at any consumer, the holds that may be others by the new ones."""
        found: dict[str, frozenset[HoldReason]] = {}
        for lane, names in (pair for answer in self.answers for pair in answer.replan.items()):
            found[lane] = found.get(lane, frozenset()) | {HoldReason(name) for name in names if name in LADDER_HOLDS}
        return found


def apply_lanes(settings: Settings, actor: str, *, patience: float) -> AppliedLanes:
    """Make what new lanes need in the broker, tell the consumers, and wait for them.

    Args:
        settings: with the lanes of the file, which is right.
        actor: who asks.
        patience: seconds to wait for consumers whose lanes finish a send.

    Raises:
        WrongUse: variables describe the lanes.
        SettingsError: a lane lacks something; names all that is missing.
        BrokerError: the broker is not there, or does not let new lanes be made; no consumer was told.
    """
    if settings.whatsapp_queue_lanes_file is None:
        raise WrongUse(
            "WHATSAPP_QUEUE_LANES_FILE is not set, so variables describe the lanes; a change of them needs a restart "
            "of all processes"
        )
    check_complete(settings.lanes.values())
    names = Names(settings.whatsapp_queue_namespace)
    with open_channel(broker_urls(settings), name="antrian lanes apply") as channel:
        found = topology_sync.apply(channel.connection, topology(settings))
        created = tuple(one.name for one in found if one.status is SyncStatus.MISSING)
        if not is_anybody_listening(channel, names):
            return AppliedLanes(settings.lanes.digest, created, listening=False)
        at_work = {lane: _consumers(channel, names.lane(lane)) for lane in settings.lanes}
        answers = _ask(channel, settings, actor, at_work, patience)
        gone = sorted({lane for answer in answers for lane in answer.removed})
        left = {lane: _waiting(channel, names.lane(lane)) for lane in gone}
    silent = _silent(at_work, answers)
    return AppliedLanes(settings.lanes.digest, created, listening=True, answers=answers, silent=silent, left=left)


def _ask(
    channel: BlockingChannel, settings: Settings, actor: str, at_work: Mapping[str, int], patience: float
) -> tuple[LanesAnswer, ...]:
    names = Names(settings.whatsapp_queue_namespace)
    request = str(uuid.uuid4())
    # Before the command: an answer may come at once.
    queue = bind_own_queue(channel, names.events, "lanes.#")
    send_control(broker_urls(settings), names, Control(Command.APPLY_LANES, "*", actor, request=request))
    answers: dict[str, LanesAnswer] = {}
    began = heard = time.monotonic()
    for event in _events(channel, queue):
        now = time.monotonic()
        answer = _answer(event) if event is not None and event.message_id == request else None
        if event is not None and answer is not None:
            heard = heard if event.source in answers else now
            answers[event.source] = answer
        is_complete = now - heard > _LAST_LOOK and bool(answers) and not _silent(at_work, answers.values())
        if now - began > HEARD_SECONDS or is_complete:
            is_settled = all(one.result != ACCEPTED for one in answers.values())
            if is_settled or now - began > max(patience, HEARD_SECONDS):
                break
    channel.cancel()
    return tuple(answers.values())


def _silent(at_work: Mapping[str, int], answers: Iterable[LanesAnswer]) -> int:
    """How many consumers are subscribed to a lane and have not answered, as far as can be seen.

    A lane that is paused or waits for its provider has no subscribers, whoever serves it.
    """
    answered = Counter(lane for answer in answers for lane in answer.lanes)
    return max(0, *(count - answered[lane] for lane, count in at_work.items()))


def _events(channel: BlockingChannel, queue: str) -> Iterator[Event | None]:
    """Events as they come; None every now and then when there are none."""
    for method, _properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=0.1):
        yield Event.of_delivery(body, method.routing_key) if method and body else None


def _answer(event: Event) -> LanesAnswer | None:
    result = event.name.removeprefix("lanes.")
    if result not in {REFUSED, ACCEPTED, APPLIED}:
        return None
    details = event.details
    return LanesAnswer(
        consumer=str(details.get("consumer", "")) or event.source,
        result=result,
        digest=str(details.get("digest", "")),
        lanes=_words(details.get("lanes")),
        added=_words(details.get("added")),
        changed=_words(details.get("changed")),
        removed=_words(details.get("removed")),
        reasons=_words(details.get("reasons")),
        replan=_replan(details.get("replan")),
    )


def _words(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _replan(value: Any) -> dict[str, tuple[str, ...]]:
    # An older consumer does not say.
    return {str(lane): _words(names) for lane, names in value.items()} if isinstance(value, dict) else {}


def _consumers(channel: BlockingChannel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.consumer_count)


def _waiting(channel: BlockingChannel, queue: str) -> int:
    try:
        with channel.connection.channel() as probe:
            return int(probe.queue_declare(queue, passive=True).method.message_count)
    except ChannelClosedByBroker:
        # It was deleted by hand, and all that waited in it.
        return 0
