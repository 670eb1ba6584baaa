"""The benchmark `publish`: contenders take turns, round after round, and are compared within each round."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from antrian.broker.topology import Names
from bench.child import Child
from bench.publish.contender import READY, RESULT
from bench.publish.run import Run, Standing, together, turns
from bench.publish.sample import Target
from bench.report import Report, Table, milliseconds, verdict
from bench.stage import Stage

#: `queue_messages` as a part of bare pipelined pika, and `queue_message` as a part of bare blocking pika.
GOAL, GOAL_OF_ONE = 0.85, 0.95

_START_PATIENCE = 60.0
_RUN_PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row of the result.

    Attributes:
        label: for people.
        module: of `bench.publish.contenders`.
        pipelined: whether it can have many messages in flight; then it publishes ten times as many.
        threads: in each of its processes.
        processes: that begin at the same moment.
    """

    label: str
    module: str
    pipelined: bool = False
    threads: int = 1
    processes: int = 1


PREPARED = Contestant("pika, messages ready", "pika_prepared", pipelined=True)
COMPOSING = Contestant("pika, making them", "pika_composing", pipelined=True)
MANY = Contestant("queue_messages", "queue_messages", pipelined=True)
BLOCKING = Contestant("pika, blocking", "pika_blocking")
ONE = Contestant("queue_message", "queue_message")
CELERY = Contestant("Celery", "celery_tasks")
DRAMATIQ = Contestant("Dramatiq", "dramatiq_actors")
THREADS = Contestant("300 threads", "queue_message", pipelined=True, threads=300)
PROCESSES = Contestant("4 processes of 75", "queue_message", pipelined=True, threads=75, processes=4)
CONNECTIONS = Contestant("pika, 300 connections", "pika_blocking", pipelined=True, threads=300)

CONTESTANTS = (PREPARED, COMPOSING, MANY, BLOCKING, ONE, CELERY, DRAMATIQ, CONNECTIONS, THREADS, PROCESSES)

#: Title, the reference, and the others of each table.
_TABLES = (
    ("Many messages, from one thread", PREPARED, (COMPOSING, MANY, CELERY, DRAMATIQ)),
    ("One message at a time, from one thread", BLOCKING, (ONE, CELERY, DRAMATIQ)),
    ("Three hundred at once, each one message at a time", PREPARED, (CONNECTIONS, THREADS, PROCESSES)),
)
_NOTES = (
    "Ratio: of the first row's rate, in the same round. Celery and Dramatiq cannot pipeline confirms.",
    "Celery and Dramatiq publish to a plain queue, the others to a lane and its journal.",
    "Ours: one Publisher in each process. Bare pika needs a connection for each thread.",
)


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure every contestant.

    Raises:
        BenchmarkFailed: one of them did not start or did not finish.
    """
    rounds, singles = (3, 400) if quick else (7, 1_500)
    lane, queue = stage.lane().whatsapp_queue_namespace, stage.queue()
    runs: dict[Contestant, list[Run]] = {contestant: [] for contestant in CONTESTANTS}
    for number in range(rounds):
        for contestant in turns(CONTESTANTS, number):
            stage.say(f"publish: round {number + 1} of {rounds}, {contestant.label}")
            runs[contestant].append(_take_turn(stage, contestant, Target(stage.url, lane, queue), singles))
    return report(runs)


def report(runs: Mapping[Contestant, Sequence[Run]]) -> Report:
    """The findings; pure."""
    tables, figures = [], {}
    for (title, reference, others), note in zip(_TABLES, _NOTES, strict=True):
        standings = {one: Standing.of(runs[one], runs[reference]) for one in (reference, *others)}
        tables.append(_table(title, standings, note))
        figures[title] = {one.label: asdict(standing) for one, standing in standings.items()}
    return Report("publish", tables, _lines(runs), figures)


def _take_turn(stage: Stage, contestant: Contestant, target: Target, singles: int) -> Run:
    count = singles * 10 if contestant.pipelined else singles
    with ExitStack() as running:
        children = [
            running.enter_context(_child(stage, contestant, target, count // contestant.processes))
            for _ in range(contestant.processes)
        ]
        for child in children:
            child.wait_for(READY, _START_PATIENCE)
        for child in children:
            child.tell("go")
        lines = [child.wait_for(RESULT, _RUN_PATIENCE) for child in children]
    # A backlog would make the next one's work harder.
    stage.purge(Names(target.namespace).lane("default"))
    stage.purge(target.queue)
    return together([Run.from_json(json.loads(line.removeprefix(RESULT))) for line in lines])


def _child(stage: Stage, contestant: Contestant, target: Target, count: int) -> Child:
    options = {
        "--url": target.url,
        "--namespace": target.namespace,
        "--queue": target.queue,
        "--count": str(count),
        "--threads": str(contestant.threads),
    }
    words = [word for option in options.items() for word in option]
    return stage.child("-m", "bench.publish.contender", contestant.module, *words)


def _table(title: str, standings: Mapping[Contestant, Standing], note: str) -> Table:
    columns = ("", "messages/s", "ratio, range", "p50", "p99", "CPU each")
    return Table(title, columns, [(one.label, *_cells(standing)) for one, standing in standings.items()], note)


def _cells(standing: Standing) -> Sequence[str]:
    least, middle, greatest = standing.ratios
    return (
        f"{standing.rate:,.0f}",
        f"{middle:.2f}, {least:.2f}-{greatest:.2f}",
        milliseconds(standing.latency.median),
        milliseconds(standing.latency.p99),
        f"{standing.cpu_per_message * 1e6:,.0f} µs",
    )


def _lines(runs: Mapping[Contestant, Sequence[Run]]) -> Sequence[str]:
    many = Standing.of(runs[MANY], runs[PREPARED])
    composing = Standing.of(runs[MANY], runs[COMPOSING])
    celery, dramatiq = (Standing.of(runs[MANY], runs[peer]) for peer in (CELERY, DRAMATIQ))
    one = Standing.of(runs[ONE], runs[BLOCKING])
    threads, processes = (Standing.of(runs[those], runs[CONNECTIONS]) for those in (THREADS, PROCESSES))
    peers = f"{celery.ratio:.1f} times Celery, {dramatiq.ratio:.1f} times Dramatiq"
    return (
        f"publish: queue_messages {_floor(many.ratio):.2f} of bare pika (target {GOAL}): "
        + verdict(kept=many.ratio >= GOAL),
        f"publish: queue_messages {composing.ratio:.2f} of bare pika that makes its messages as it goes, {peers}",
        f"publish: queue_message {_floor(one.ratio):.2f} of bare pika, one at a time (target {GOAL_OF_ONE}): "
        + verdict(kept=one.ratio >= GOAL_OF_ONE),
        f"publish: 300 threads, one Publisher: {_speed(threads)}, {threads.ratio:.1f} times 300 pika connections",
        f"publish: 4 processes of 75 threads: {_speed(processes)}, {processes.ratio:.1f} times 300 pika connections",
    )


def _floor(ratio: float) -> float:
    # 0.849 must not read like 0.85.
    return math.floor(ratio * 100) / 100


def _speed(standing: Standing) -> str:
    latency = standing.latency
    return f"{standing.rate:,.0f}/s, p50 {milliseconds(latency.median)}, p99 {milliseconds(latency.p99)}"
