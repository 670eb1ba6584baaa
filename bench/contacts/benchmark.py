"""The benchmark `contacts`: a process gets to know its contacts, from nothing and with the file of an earlier one.

The limits are the project's own, for a million contacts: 60 s from nothing, 10 s with the file, 200 MB.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from antrian.broker.connection import open_channel
from antrian.broker.event_log import event_arguments
from antrian.broker.topology import Names
from antrian.domain import contact_event
from antrian.domain.contact_event import MOST_RECIPIENTS
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from bench.lanes.growth import Growth
from bench.pipelined import Item, PipelinedChannel
from bench.replay.stream import BareReader
from bench.report import Report, Table, verdict
from bench.stage import Stage

FROM_NOTHING_LIMIT, WITH_FILE_LIMIT, MEMORY_LIMIT = 60.0, 10.0, 200e6

_SENDER = "628114040707"
_PATIENCE = 900.0
_ONE_BY_ONE, _IMPORTED = "one event each", f"imported, {MOST_RECIPIENTS:,} an event"


@dataclass(frozen=True, slots=True)
class Learning:
    """What one process needed.

    Attributes:
        contacts: how many there are.
        events: how they came into the stream.
        from_nothing: seconds until it knew them, without a file.
        cpu: processor seconds of these; all of the process, its start included.
        bare: seconds that bare pika takes to read the same stream and do nothing with it.
        with_file: seconds, with the file that the first process left.
        memory: the most that either held, bytes.
        file: bytes of the file.
    """

    contacts: int
    events: str
    from_nothing: float
    cpu: float
    bare: float
    with_file: float
    memory: float
    file: float


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure with three numbers of contacts.

    Raises:
        BenchmarkFailed: a process did not know them in time.
    """
    counts = (10_000, 30_000, 100_000) if quick else (100_000, 300_000, 1_000_000)
    return report([_measure(stage, count, kind) for kind in (_ONE_BY_ONE, _IMPORTED) for count in counts])


def report(learnings: Sequence[Learning]) -> Report:
    """The findings; pure."""
    columns = ("contacts", "in the stream", "from nothing", "processor", "bare pika", "with its file", "memory", "file")
    table = Table("Until a process knows its contacts", columns, [_cells(one) for one in learnings])
    lines = []
    for kind in (_ONE_BY_ONE, _IMPORTED):
        ours = [one for one in learnings if one.events == kind]
        power = Growth.of([one.contacts for one in ours], [one.cpu for one in ours]).power
        most = ours[-1]
        part = most.contacts / 1_000_000
        is_kept = (
            most.from_nothing <= FROM_NOTHING_LIMIT * part
            and most.with_file <= WITH_FILE_LIMIT
            and most.memory <= MEMORY_LIMIT
        )
        lines.append(
            f"contacts, {kind}: {most.contacts:,} known after {most.from_nothing:.1f} s from nothing and "
            f"{most.with_file:.1f} s with the file, {most.memory / 1e6:.0f} MB, bare pika {most.bare:.1f} s, "
            f"the processor's time grows with the power {power:.2f}: {verdict(kept=is_kept)}"
        )
    return Report("contacts", [table], lines, {f"{one.events}, {one.contacts}": asdict(one) for one in learnings})


def _cells(one: Learning) -> tuple[str, ...]:
    return (
        f"{one.contacts:,}",
        one.events,
        f"{one.from_nothing:.1f} s",
        f"{one.cpu:.1f} s",
        f"{one.bare:.1f} s",
        f"{one.with_file:.1f} s",
        f"{one.memory / 1e6:.0f} MB",
        f"{one.file / 1e6:.0f} MB",
    )


def _measure(stage: Stage, contacts: int, kind: str) -> Learning:
    lane = stage.lane()
    names = Names(lane.whatsapp_queue_namespace)
    stage.say(f"contacts: telling of {contacts:,}, {kind}")
    _leave_only_contacts(stage, names)
    with PipelinedChannel(stage.url) as channel:
        channel.publish(_sent(names, contacts) if kind == _ONE_BY_ONE else _imported(names, contacts))
    with TemporaryDirectory(prefix="antrian-bench-") as folder:
        stage.say(f"contacts: {contacts:,}, {kind}: from nothing")
        first = _learn(stage, lane, Path(folder))
        stage.say(f"contacts: {contacts:,}, {kind}: with its file")
        second = _learn(stage, lane, Path(folder))
        events = contacts if kind == _ONE_BY_ONE else -(-contacts // MOST_RECIPIENTS)
        bare = BareReader(stage.url, names.contacts, events).seconds()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    stage.remove(lane)
    memory = max(first["memory"], second["memory"])
    return Learning(contacts, kind, first["seconds"], first["cpu"], bare, second["seconds"], memory, size)


def _leave_only_contacts(stage: Stage, names: Names) -> None:
    """The other streams are not read here, and would only fill the disk."""
    with open_channel((stage.url,), name="antrian bench") as channel:
        channel.queue_unbind(names.journal, names.events, "#")
        channel.queue_unbind(names.outcomes, names.events, "outcome.#")


def _learn(stage: Stage, lane: Settings, folder: Path) -> dict[str, float]:
    namespace = lane.whatsapp_queue_namespace
    child = stage.child(
        "-m", "bench.contacts.follow", str(folder), AMQP_URL=stage.url, WHATSAPP_QUEUE_NAMESPACE=namespace
    )
    with child:
        told: dict[str, float] = json.loads(child.wait_for('"seconds"', _PATIENCE))
    return told


def _sent(names: Names, contacts: int) -> Iterator[Item]:
    for number in range(contacts):
        details = {"recipient": _number(number), "sender": _SENDER, "cold": True, "provider_id": f"3EB0{number:016x}"}
        message_id = f"8b0f6c55-6a0e-4a52-9b56-{number:012x}"
        event = Event(EventName.SENT, time.time(), "default", message_id, attempt=1, source=_SENDER, details=details)
        yield event_arguments(names, event)[:4]


def _imported(names: Names, contacts: int) -> Iterator[Item]:
    for start in range(0, contacts, MOST_RECIPIENTS):
        recipients = [_number(number) for number in range(start, min(start + MOST_RECIPIENTS, contacts))]
        event = contact_event.known(_SENDER, recipients, "import", at=time.time(), source="bench")
        yield event_arguments(names, event)[:4]


def _number(index: int) -> str:
    """Numbers as they come: in no order."""
    return f"+628{(index * 7_368_787) % 10_000_000_000:010}"
