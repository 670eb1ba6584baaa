"""The benchmark `replay`: start a consumer on an outcomes stream of a known length, and wait until it is ready."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from antrian.broker.topology import Names
from antrian.domain.settings import Settings
from bench.replay.reading import Reading
from bench.replay.stream import BareReader, fill
from bench.report import Report, Table
from bench.stage import Stage

_READY = "lane.ready"
_PATIENCE = 180.0

#: Nobody sends in this benchmark, so nobody listens here.
_NO_API = "http://127.0.0.1:9"


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure with streams of two lengths.

    Raises:
        BenchmarkFailed: a consumer was not ready in time.
    """
    lengths, rounds = ((10_000, 40_000), 3) if quick else ((10_000, 100_000), 5)
    return report([_measure(stage, length, rounds) for length in lengths])


def report(readings: Sequence[Reading]) -> Report:
    """The findings; pure."""
    columns = ("events in the stream", "ready after", "of it reading", "events/s", "bare pika reads", "ratio")
    table = Table(
        "A consumer's start, by the length of its outcomes stream",
        columns,
        [_cells(reading) for reading in readings],
        "Reading is what the start takes longer than on an empty stream.",
    )
    longest = readings[-1]
    line = (
        f"replay: {longest.events:,} events: ready after {longest.ready_after:.2f} s, "
        f"{longest.rate:,.0f} events/s, {longest.ratio:.2f} of bare pika reading"
    )
    figures = {
        str(reading.events): asdict(reading) | {"rate": reading.rate, "ratio": reading.ratio} for reading in readings
    }
    return Report("replay", [table], [line], figures)


def _cells(reading: Reading) -> tuple[str, ...]:
    return (
        f"{reading.events:,}",
        f"{reading.ready_after:.2f} s",
        f"{reading.reading:.2f} s",
        f"{reading.rate:,.0f}",
        f"{reading.peer_rate:,.0f}/s",
        f"{reading.ratio:.2f}",
    )


def _measure(stage: Stage, events: int, rounds: int) -> Reading:
    full, empty = stage.lane(), stage.lane()
    names = Names(full.whatsapp_queue_namespace)
    stage.say(f"replay: recording {events:,} events")
    fill(stage.url, names, events)
    ready, none, peer = [], [], []
    for number in range(rounds):
        stage.say(f"replay: {events:,} events, start {number + 1} of {rounds}")
        none.append(_seconds_until_ready(stage, empty))
        ready.append(_seconds_until_ready(stage, full))
        peer.append(BareReader(stage.url, names.outcomes, events).seconds())
    return Reading.of(events, ready, none, peer)


def _seconds_until_ready(stage: Stage, lane: Settings) -> float:
    started_at = time.time()
    with stage.consumer(lane, _NO_API) as consumer:
        line = json.loads(consumer.wait_for(_READY, _PATIENCE))
    return datetime.fromisoformat(line["timestamp"]).timestamp() - started_at
