"""One consumer process with so many lanes: started, watched, killed, and followed by its standby."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from antrian.broker.topology import Names
from antrian.domain.message import encode, new_message
from antrian.domain.settings import Settings
from bench.broker_connections import connections_of, cpu_seconds
from bench.child import Child
from bench.distribution import Distribution
from bench.errors import BenchmarkFailed
from bench.lanes.choice import lane_specs
from bench.lanes.log_events import LaneLog
from bench.lanes.sends import by_sender, gaps_between, lateness, second_sends
from bench.pipelined import Item, PipelinedChannel
from bench.provider import Arrival, Provider
from bench.stage import Stage
from bench.waiting import wait_until

#: Seconds for the lanes of one process to be ready; more is not waited for, and larger numbers are not tried.
READY_PATIENCE = 300.0

#: Seconds that a fail-over is waited for beyond the delay.
_FAIL_OVER_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One measurement.

    Attributes:
        lanes: how many.
        delay: the pause of each, in seconds.
        seconds: how long the lanes are watched once they are ready.
        checkout: the source tree whose consumer it is.
    """

    lanes: int
    delay: float
    seconds: float
    checkout: Path


@dataclass(frozen=True, slots=True)
class Process:
    """What a process used.

    Attributes:
        connections: to the broker.
        channels: on them, as the broker counts them.
        threads: of the process.
        memory: resident, in bytes.
        cpu: processor time, as a part of one core.
        broker_cpu: of the broker meanwhile.
        provider_cpu: of the sandbox meanwhile.
    """

    connections: int
    channels: int
    threads: int
    memory: int
    cpu: float
    broker_cpu: float
    provider_cpu: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What one measurement found; seconds.

    Attributes:
        lanes: how many there were.
        delay: the pause of each.
        ready: how many of them got ready in time; where these are fewer, nothing else was measured.
        ready_after: from the start of the process to the last lane's being ready.
        sent_after: to the last lane's first send, as the provider saw it.
        process: what it used while the lanes were watched.
        gaps: between two sends of a lane, over all lanes, while they were watched.
        smallest_gap: over the whole measurement, the kill included.
        lateness: of each lane's first send after the kill; it was due at the kill or when its pause was over.
        second_sends: messages that arrived twice.
    """

    lanes: int
    delay: float
    ready: int
    ready_after: float = math.nan
    sent_after: float = math.nan
    process: Process | None = None
    gaps: Distribution | None = None
    smallest_gap: float = math.nan
    lateness: Distribution | None = None
    second_sends: int = 0


def measure(stage: Stage, provider: Provider, plan: Plan) -> Trial:
    """Measure one consumer.

    Raises:
        BenchmarkFailed: it ended by itself, or lanes did not go on after the kill.
    """
    provider.forget()
    with _namespace(stage, plan) as lanes, _consumer(stage, provider, plan, lanes) as consumer:
        started_at = time.time()
        log = LaneLog(consumer.log)
        if not _get_ready(stage, consumer, log, plan, "a consumer"):
            return Trial(plan.lanes, plan.delay, len(log.ready))
        watched_from = time.time()
        process = _watch(stage, consumer, provider, plan)
        watched_until = time.time()
        standby = _consumer(stage, provider, plan, lanes)
        with standby:
            standby_log = LaneLog(standby.log)
            if not _get_ready(stage, standby, standby_log, plan, "its standby"):
                raise BenchmarkFailed(f"lanes: a standby of {plan.lanes} lanes was not ready in time")
            consumer.kill()
            killed_at = time.time()
            _fail_over(stage, standby_log, plan)
        arrivals = provider.all_arrivals()
    return _trial(plan, arrivals, log, process, (started_at, watched_from, watched_until, killed_at))


def _trial(
    plan: Plan, arrivals: list[Arrival], log: LaneLog, process: Process, moments: tuple[float, float, float, float]
) -> Trial:
    started_at, watched_from, watched_until, killed_at = moments
    sends = by_sender(arrivals)
    late = lateness(sends, killed_at, plan.delay)
    if len(late) < plan.lanes:
        raise BenchmarkFailed(f"lanes: {plan.lanes - len(late)} of {plan.lanes} did not go on after the kill")
    return Trial(
        lanes=plan.lanes,
        delay=plan.delay,
        ready=plan.lanes,
        ready_after=max(log.ready.values()) - started_at,
        sent_after=max(moments[0] for moments in sends.values()) - started_at,
        process=process,
        gaps=Distribution.of(gaps_between(sends, watched_from, watched_until)),
        smallest_gap=min(gaps_between(sends, 0, math.inf)),
        lateness=Distribution.of(list(late.values())),
        second_sends=second_sends(arrivals),
    )


@contextmanager
def _namespace(stage: Stage, plan: Plan) -> Iterator[Settings]:
    """A namespace with enough messages in each lane; removed at the end, because the next one needs the broker, too."""
    stage.say(f"lanes: publishing for {plan.lanes} lanes")
    lanes = stage.lane(WHATSAPP_QUEUE_LANES=lane_specs(plan.lanes), WHATSAPP_QUEUE_DELAY=str(plan.delay))
    longest = 2 * READY_PATIENCE + plan.seconds + plan.delay + _FAIL_OVER_PATIENCE
    with PipelinedChannel(stage.url) as channel:
        channel.publish(_messages(lanes, math.ceil(longest / plan.delay)))
    try:
        yield lanes
    finally:
        stage.remove(lanes)


def _messages(lanes: Settings, each: int) -> Iterator[Item]:
    names = Names(lanes.whatsapp_queue_namespace)
    for number in range(each):
        for lane in lanes.lanes:
            text = f"{lane}, message {number}"
            phone_number = f"+62812{number:08d}"
            body, properties = encode(new_message(phone_number, text, source="bench", now=time.time()))
            yield names.messages, lane, body, properties


def _consumer(stage: Stage, provider: Provider, plan: Plan, lanes: Settings) -> Child:
    return stage.consumer(
        lanes,
        provider.url,
        checkout=plan.checkout,
        WHATSAPP_QUEUE_LANES=",".join(lanes.whatsapp_queue_lanes),
        # A kill in the middle of a call leaves it open whether the message arrived; only so may nothing arrive twice.
        WHATSAPP_QUEUE_ON_UNCERTAIN="dead-letter",
    )


def _get_ready(stage: Stage, consumer: Child, log: LaneLog, plan: Plan, who: str) -> bool:
    """Wait for all lanes; False when the time is over before."""
    deadline = time.monotonic() + READY_PATIENCE
    while time.monotonic() < deadline:
        log.read()
        stage.say(f"lanes: {who} of {plan.checkout.name}: {len(log.ready)} of {plan.lanes} lanes ready")
        if len(log.ready) == plan.lanes:
            return True
        if consumer.pid is None or not psutil.pid_exists(consumer.pid):
            raise BenchmarkFailed(f"lanes: {who} ended: {consumer.lines()[-1:]}")
        time.sleep(0.2)
    return False


def _watch(stage: Stage, consumer: Child, provider: Provider, plan: Plan) -> Process:
    stage.say(f"lanes: watching {plan.lanes} lanes for {plan.seconds:g} s")
    ours = psutil.Process(consumer.pid)
    several = (ours, psutil.Process(stage.node.status().pid), psutil.Process(provider.pid))
    began, before = time.monotonic(), [cpu_seconds(one) for one in several]
    time.sleep(plan.seconds)
    passed = time.monotonic() - began
    cpu, broker_cpu, provider_cpu = (
        (cpu_seconds(one) - then) / passed for one, then in zip(several, before, strict=True)
    )
    # Asked at the end: rabbitmqctl is a program that takes a second of the processor.
    connections, channels = connections_of(stage, ours)
    return Process(connections, channels, ours.num_threads(), ours.memory_info().rss, cpu, broker_cpu, provider_cpu)


def _fail_over(stage: Stage, standby: LaneLog, plan: Plan) -> None:
    """Wait until every lane has gone on, and so long that a message that is sent twice has arrived twice."""

    def went_on() -> bool:
        standby.read()
        stage.say(f"lanes: after kill -9, {len(standby.sent)} of {plan.lanes} lanes have gone on")
        return len(standby.sent) == plan.lanes

    wait_until(went_on, plan.delay + _FAIL_OVER_PATIENCE, f"{plan.lanes} lanes have gone on", every=0.2)
    time.sleep(plan.delay + 1)
