"""The benchmark `redrive`: put dead letters back, and clear a lane, beside bare pika moving as many messages."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from antrian.broker.topology import Names
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
    redrive, clear, bare = [], [], []
    for number in range(rounds):
        stage.say(f"redrive: {messages:,} letters, round {number + 1} of {rounds}")
        lane = stage.lane(WHATSAPP_QUEUE_TYPE="classic")
        names = Names(lane.whatsapp_queue_namespace)
        _publish(stage, names.dead, messages)
        redrive.append(_seconds(messages, lambda lane=lane: DeadLetters(lane).redrive(EVERYTHING, "bench").done))
        clear.append(_seconds(messages, lambda lane=lane: _clear(lane)))
        _publish(stage, names.dead, messages)
        bare.append(BareMover(stage.url, names.dead, stage.queue(), messages).seconds())
    return report(messages, redrive, clear, bare)


def report(messages: int, redrive: Sequence[float], clear: Sequence[float], bare: Sequence[float]) -> Report:
    """The findings, of the seconds that each took in each round; pure."""
    took = {"redrive": median(redrive), "clear": median(clear), "bare pika": median(bare)}
    rates = {name: messages / seconds for name, seconds in took.items()}
    ratios = {name: rate / rates["bare pika"] for name, rate in rates.items()}
    table = Table(
        f"{messages:,} messages, moved by",
        ("what", "messages/s", "ratio"),
        [(name, f"{rates[name]:,.0f}", f"{ratios[name]:.2f}") for name in took],
        "A redriven letter is two publishes, one after the other; bare pika publishes once, without an event.",
    )
    line = (
        f"redrive: {rates['redrive']:,.0f} letters/s, {ratios['redrive']:.2f} of bare pika; "
        f"clear: {rates['clear']:,.0f} messages/s, {ratios['clear']:.2f} of bare pika"
    )
    return Report("redrive", [table], [line], {"messages": messages, "rates": rates, "ratios": ratios})


def _clear(lane: Settings) -> int:
    return Clearing(lane, "default", "bench").run(Scope.QUEUED).cleared_queued


def _seconds(messages: int, work: Callable[[], int]) -> float:
    began = time.perf_counter()
    done = work()
    if done != messages:
        raise BenchmarkFailed(f"of {messages} messages {done} were moved")
    return time.perf_counter() - began


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
