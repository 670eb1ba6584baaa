"""The benchmark `pace`: two paced consumers side by side, one provider whose clock both are measured by."""

from collections.abc import Mapping
from dataclasses import asdict

from antrian.domain.settings import Settings
from antrian.providers.registry import SANDBOX_SENDER
from bench.child import Child
from bench.pace.pacing import Pacing
from bench.peer_queue import fill
from bench.provider import Provider, run_provider
from bench.publish.sample import samples
from bench.report import Report, Table, milliseconds
from bench.stage import Stage
from bench.waiting import wait_until
from publisher import Publisher

OURS, NAIVE = "antrian", "plain pika"

_NAIVE_SENDER = "6282200000000"
_START_PATIENCE = 60.0
_ARRIVAL_PATIENCE = 30.0


def run(stage: Stage, *, quick: bool) -> Report:
    """Let both send the same number of messages at the same delay, at the same time.

    Raises:
        BenchmarkFailed: one of them did not send all.
    """
    delay, count = (0.3, 40) if quick else (0.5, 200)
    with run_provider(stage) as provider:
        return report(_measure(stage, provider, delay, count))


def report(pacings: Mapping[str, Pacing]) -> Report:
    """The findings; pure."""
    columns = ("", "gaps", "too short", "shortest", "median", "p99", "longest", "overhead")
    table = Table(
        f"Gaps between sends at a delay of {pacings[OURS].delay:g} s",
        columns,
        [(name, *_cells(pacing)) for name, pacing in pacings.items()],
        "By the provider's clock, both at the same time. Overhead: median over the delay, the send included.",
    )
    figures = {name: asdict(pacing) | {"overhead": pacing.overhead} for name, pacing in pacings.items()}
    return Report("pace", [table], [_line(pacings)], figures)


def _line(pacings: Mapping[str, Pacing]) -> str:
    ours, naive = pacings[OURS], pacings[NAIVE]
    return (
        f"pace: {ours.shorter} of {ours.gaps.count} gaps shorter than {ours.delay:g} s (target 0): "
        f"{'OK' if not ours.shorter else 'BROKEN'}; p99 {ours.gaps.p99:.4f} s, "
        f"{milliseconds(ours.overhead)} over the delay; plain pika: {naive.shorter} shorter, "
        f"p99 {naive.gaps.p99:.4f} s, {milliseconds(naive.overhead)} over"
    )


def _cells(pacing: Pacing) -> tuple[str, ...]:
    gaps = pacing.gaps
    seconds = [f"{value:.4f} s" for value in (gaps.smallest, gaps.median, gaps.p99, gaps.largest)]
    return (str(gaps.count), str(pacing.shorter), *seconds, milliseconds(pacing.overhead))


def _measure(stage: Stage, provider: Provider, delay: float, count: int) -> dict[str, Pacing]:
    lane, queue = stage.lane(WHATSAPP_QUEUE_DELAY=str(delay)), stage.queue()
    _publish(lane, count)
    fill(stage.url, queue, samples(count))
    naive = ("-m", "bench.pace.naive_consumer", stage.url, queue, provider.url, _NAIVE_SENDER, str(delay))
    with stage.consumer(lane, provider.url) as ours, stage.child(*naive):
        _follow(stage, ours, count, patience=count * delay * 2 + _START_PATIENCE)
        # The provider is asked only now: answering takes its time, too.
        arrivals = {
            name: provider.wait_for(sender, count, count * delay + _ARRIVAL_PATIENCE, every=1)
            for name, sender in ((OURS, SANDBOX_SENDER), (NAIVE, _NAIVE_SENDER))
        }
    return {name: Pacing.of([arrival.at for arrival in found], delay) for name, found in arrivals.items()}


def _publish(lane: Settings, count: int) -> None:
    with Publisher(lane, source="bench") as publisher:
        for phone_number, text in samples(count):
            publisher.queue_message(phone_number, text)


def _follow(stage: Stage, ours: Child, count: int, patience: float) -> None:
    """Tell how far it is, until all of ours have left."""

    def left() -> bool:
        sent = sum("message.sent" in line for line in ours.lines())
        stage.say(f"pace: {sent} of {count} sends")
        return sent >= count

    wait_until(left, patience, f"{count} messages have left", every=5)
