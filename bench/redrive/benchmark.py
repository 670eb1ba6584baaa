"""The benchmark `redrive`: put dead letters back, and clear a lane, beside bare pika moving as many messages."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import AttemptFailure, encode, new_message, retry_of
from antrian.domain.settings import Settings
from antrian.operations.dead_letters.dead_letters import EVERYTHING, DeadLetters
from antrian.operations.lane.clearing import Clearing, Scope
from bench.errors import BenchmarkFailed
from bench.pipelined import Item, PipelinedChannel
from bench.redrive.bare_mover import BareMover
from bench.report import Report, Table
from bench.stage import Stage


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure redriving, clearing and bare pika in turn.

    Raises:
        BenchmarkFailed: not all messages were moved.
    """
    messages, rounds = (3_000, 3) if quick else (20_000, 5)
    taken: dict[str, list[Taken]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        stage.say(f"redrive: {messages:,} letters, round {number + 1} of {rounds}")
        lane = stage.lane(WHATSAPP_QUEUE_TYPE="classic")
        names = Names(lane.whatsapp_queue_namespace)
        _publish(stage, names.dead, messages)
        taken["redrive"].append(_take(messages, lambda lane=lane: DeadLetters(lane).redrive(EVERYTHING, "bench").done))
        taken["clear"].append(_take(messages, lambda lane=lane: _clear(lane)))
        for name, mover in _bare_movers(stage, names, messages).items():
            _publish(stage, names.dead, messages)
            cpu = time.process_time()
            taken[name].append(Taken(mover().seconds(), time.process_time() - cpu))
    return report(messages, taken)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one round took: seconds, and our processor's seconds; the broker's own are not among them."""

    seconds: float
    cpu: float


#: Who moves messages. The last one writes what a redrive has to write, and thinks about nothing.
CONTENDERS = ("redrive", "clear", "bare pika", "bare pika, same writes")


def report(messages: int, taken: Mapping[str, Sequence[Taken]]) -> Report:
    """The findings, of what each round took; pure."""
    rates = {name: messages / median(one.seconds for one in rounds) for name, rounds in taken.items()}
    cpu = {name: median(one.cpu for one in rounds) for name, rounds in taken.items()}
    ratios = {name: rate / rates["bare pika"] for name, rate in rates.items()}
    table = Table(
        f"{messages:,} messages, moved by",
        ("what", "messages/s", "ratio", "client's CPU s"),
        [(name, f"{rates[name]:,.0f}", f"{ratios[name]:.2f}", f"{cpu[name]:.2f}") for name in taken],
        "A redriven letter is two publishes into three queues and streams; bare pika publishes once, into one.",
    )
    line = (
        f"redrive: {rates['redrive']:,.0f} letters/s, {ratios['redrive']:.2f} of bare pika; "
        f"clear: {rates['clear']:,.0f} messages/s, {ratios['clear']:.2f} of bare pika"
    )
    figures = {"messages": messages, "rates": rates, "ratios": ratios, "cpu": cpu}
    return Report("redrive", [table], [line], figures)


def _bare_movers(stage: Stage, names: Names, messages: int) -> dict[str, Callable[[], BareMover]]:
    event = Event(EventName.REDRIVEN, time.time(), "default", "m" * 36, 1, 3, "bench", {"code": "timeout"})
    written = names.events, event.routing_key, event.encode(), EVENT_PROPERTIES
    return {
        "bare pika": lambda: BareMover(stage.url, names.dead, ("", stage.queue()), messages),
        "bare pika, same writes": lambda: BareMover(
            stage.url, names.dead, (names.messages, "default"), messages, written
        ),
    }


def _clear(lane: Settings) -> int:
    return Clearing(lane, "default", "bench").run(Scope.QUEUED).cleared_queued


def _take(messages: int, work: Callable[[], int]) -> Taken:
    began, cpu = time.perf_counter(), time.process_time()
    done = work()
    if done != messages:
        raise BenchmarkFailed(f"of {messages} messages {done} were moved")
    return Taken(time.perf_counter() - began, time.process_time() - cpu)


def _publish(stage: Stage, exchange: str, count: int) -> None:
    with PipelinedChannel(stage.url) as channel:
        channel.publish(_letters(exchange, count))


def _letters(exchange: str, count: int) -> Iterator[Item]:
    failure = AttemptFailure(3, time.time(), "transient", "timeout", "the provider's words")
    for number in range(count):
        text = f"Halo kak, pembayaran invoice {number} bisa sebelum jam 17.00"
        message = new_message(f"+62812{number:07d}", text, source="bench", now=time.time())
        body, properties = encode(retry_of(message, failure, attempt=3))
        yield exchange, "default", body, properties
