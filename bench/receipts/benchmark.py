"""The benchmark `receipts`: signed receipts a second, in turns with the same web server that does nothing.

The limits are the project's own: 1,000 a second for each core that the server uses, half as many as the empty handler,
p99 under 250 ms to the answer, and memory that does not grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from antrian.domain.settings import Settings
from antrian.providers.webhook import path_secret
from bench.broker_connections import cpu_seconds
from bench.child import Child
from bench.distribution import Distribution
from bench.receipts.load import PHONE_NUMBER_ID, SECRET, Load, send
from bench.report import Report, Table, milliseconds, verdict
from bench.stage import Stage

RATE_LIMIT, RATIO_LIMIT, ANSWER_LIMIT, GROWTH_LIMIT = 1_000.0, 0.5, 0.250, 1.15
#: Connections that providers keep open at once.
CONNECTIONS = 32

_PORT, _EMPTY_PORT = 18_090, 18_091
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """One server's turn.

    Attributes:
        load: what came of it.
        processor: seconds of processor time that the server used.
    """

    load: Load
    processor: float

    @property
    def rate_of_a_core(self) -> float:
        """Answers for each second of processor time."""
        return len(self.load.times) / max(self.processor, 0.001)


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure in turns, and then the memory over many requests.

    Raises:
        BenchmarkFailed: a server was not ready in time.
    """
    count, rounds, many = (4_000, 3, 20_000) if quick else (10_000, 5, 1_000_000)
    path = f"/receipts/default/{path_secret(SECRET, 'default')}"
    with (
        _server(stage, stage.lane()) as ours,
        stage.child("-m", "bench.receipts.empty_server", str(_EMPTY_PORT)) as empty,
    ):
        ours.wait_for("broker.connected", _PATIENCE)
        empty.wait_for("empty.ready", _PATIENCE)
        _turn(ours, _PORT, path, "warm", 500)
        _turn(empty, _EMPTY_PORT, path, "warm", 500)
        turns, beside = [], []
        for number in range(rounds):
            stage.say(f"receipts: round {number + 1} of {rounds}, {count:,} requests each")
            beside.append(_turn(empty, _EMPTY_PORT, path, str(number), count))
            turns.append(_turn(ours, _PORT, path, str(number), count))
        stage.say(f"receipts: {many:,} requests for the memory")
        _turn(ours, _PORT, path, "before", many // 10)
        before = _memory(ours)
        _turn(ours, _PORT, path, "after", many)
        memory = (before, _memory(ours))
    return report(turns, beside, memory=memory, many=many)


def report(turns: Sequence[Round], beside: Sequence[Round], *, memory: tuple[int, int], many: int) -> Report:
    """The findings; pure."""
    answers = Distribution.of([seconds for turn in turns for seconds in turn.load.times])
    empty = Distribution.of([seconds for turn in beside for seconds in turn.load.times])
    rate, peer = (Distribution.of([one.load.rate for one in these]).median for these in (turns, beside))
    core, peer_core = (Distribution.of([one.rate_of_a_core for one in these]).median for these in (turns, beside))
    refused = sum(turn.load.refused for turn in turns)
    ratio, growth = rate / peer, memory[1] / max(memory[0], 1)
    rows = [
        ("answers a second", f"{rate:,.0f}", f"{peer:,.0f}", f"{ratio:.2f}"),
        ("  for each core of the server", f"{core:,.0f}", f"{peer_core:,.0f}", f"{core / peer_core:.2f}"),
        ("answer, p50", milliseconds(answers.median), milliseconds(empty.median), ""),
        ("answer, p99", milliseconds(answers.p99), milliseconds(empty.p99), ""),
        ("answered 503", f"{refused:,}", "0", ""),
        (f"memory after {many // 10:,} more", f"{memory[0] / 1e6:,.0f} MB", "", ""),
        (f"  and after {many:,} more", f"{memory[1] / 1e6:,.0f} MB", "", f"{growth:.2f}"),
    ]
    kept = core >= RATE_LIMIT and ratio >= RATIO_LIMIT and answers.p99 < ANSWER_LIMIT and growth < GROWTH_LIMIT
    line = (
        f"receipts: {rate:,.0f}/s, {core:,.0f} for each core, p99 {milliseconds(answers.p99)}, "
        f"{ratio:.2f} of an empty handler ({core / peer_core:.2f} by processor time), "
        f"{memory[1] / 1e6:,.0f} MB: {verdict(kept=kept)}"
    )
    title = f"Signed receipts of Meta's over {CONNECTIONS} connections"
    table = Table(title, ("what", "antrian receipts", "empty handler", "ratio"), rows)
    figures = {
        "rate": rate,
        "rate_of_a_core": core,
        "empty_rate": peer,
        "empty_rate_of_a_core": peer_core,
        "p50": answers.median,
        "p99": answers.p99,
        "refused": refused,
        "memory_before": memory[0],
        "memory_after": memory[1],
    }
    return Report("receipts", [table], [line], figures)


def _turn(server: Child, port: int, path: str, run: str, count: int) -> Round:
    process = psutil.Process(server.pid)
    before = cpu_seconds(process)
    load = send(port, path, run, count, CONNECTIONS)
    return Round(load, cpu_seconds(process) - before)


def _memory(server: Child) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


def _server(stage: Stage, lane: Settings) -> Child:
    return stage.child(
        "-m",
        "antrian",
        "receipts",
        AMQP_URL=stage.url,
        WHATSAPP_PROVIDER="meta_cloud",
        WHATSAPP_API_KEY="none",
        WHATSAPP_SENDER="628114040707",
        WHATSAPP_PROVIDER_OPTIONS=f"phone_number_id={PHONE_NUMBER_ID}",
        WHATSAPP_WEBHOOK_SECRET=SECRET,
        WHATSAPP_QUEUE_NAMESPACE=lane.whatsapp_queue_namespace,
        RECEIPTS_PORT=str(_PORT),
        RECEIPTS_METRICS_PORT="0",
    )
