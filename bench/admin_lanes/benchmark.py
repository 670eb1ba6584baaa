"""The benchmark `admin-lanes`: what `antrian admin` needs for 50 to 1,000 lanes, and how long its answers take."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import requests

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.auth.urls import PREFIX
from bench.broker_connections import connections_of, cpu_seconds
from bench.child import Child
from bench.distribution import Distribution
from bench.errors import BenchmarkFailed
from bench.lanes.choice import Choice, lane_specs
from bench.lanes.growth import Growth
from bench.report import Report, Table, milliseconds, verdict
from bench.stage import Stage
from bench.waiting import wait_until

#: Seconds for a scrape of the metrics of all lanes.
SCRAPE_LIMIT = 1.0

#: Seconds between two scrapes, as Prometheus is set up here.
_SCRAPE_PERIOD = 15.0

_PORT = 18_091
_PATIENCE = 300.0
_QUESTIONS = 300


@dataclass(frozen=True, slots=True)
class AdminTrial:
    """The admin side with so many lanes; seconds.

    Attributes:
        lanes: how many there were.
        ready_after: from the start of the process until `/readyz` was content; None when it was not in time.
        connections: to the broker.
        threads: of the process.
        memory: resident, in bytes.
        cpu: processor time of the process while it is scraped as usual, as a part of one core.
        broker_cpu: of the broker meanwhile.
        scrapes: how long they took.
        series: in one scrape.
        statuses: how long the status of one lane took.
    """

    lanes: int
    ready_after: float | None = None
    connections: int = 0
    threads: int = 0
    memory: int = 0
    cpu: float = 0.0
    broker_cpu: float = 0.0
    scrapes: Distribution | None = None
    series: int = 0
    statuses: Distribution | None = None


def run(stage: Stage, *, quick: bool, choice: Choice | None = None) -> Report:
    """Measure each number of lanes, and each source tree, one after the other.

    Raises:
        BenchmarkFailed: the admin side ended.
    """
    asked = choice or Choice()
    checkouts = asked.checkouts()
    seconds = asked.seconds or (15.0 if quick else 60.0)
    trials: dict[str, list[AdminTrial]] = {name: [] for name in checkouts}
    for count in asked.counts(quick=quick):
        for name, checkout in checkouts.items():
            if all(trial.ready_after for trial in trials[name]):
                trials[name].append(_measure(stage, count, checkout, seconds))
    return report(trials)


def report(trials: Mapping[str, Sequence[AdminTrial]]) -> Report:
    """The findings by source tree; pure."""
    columns = ("lanes", "ready", "connections", "threads", "memory", "CPU", "broker", "scrape", "series", "status p99")
    tables = [
        Table(
            f"The admin side of many lanes ({name})",
            columns,
            [(f"{trial.lanes:,}", *_cells(trial)) for trial in found],
            "CPU of the process and of the broker: of one core, at a scrape every 15 s. Status: of one lane.",
        )
        for name, found in trials.items()
    ]
    lines = [_line(name, trial) for name, found in trials.items() for trial in found]
    for name, found in trials.items():
        counts = [trial.lanes for trial in found if trial.scrapes]
        if len(counts) > 1:
            growth = Growth.of(counts, [trial.scrapes.median for trial in found if trial.scrapes])
            shape = "linear" if growth.is_linear else "NOT LINEAR"
            lines.append(
                f"admin-lanes: {name}: a scrape grows by {milliseconds(growth.slope * 100)} for 100 lanes more, "
                f"with the power {growth.power:.2f} of their number: {shape}"
            )
    return Report(
        "admin-lanes", tables, lines, {name: [asdict(one) for one in found] for name, found in trials.items()}
    )


def _cells(trial: AdminTrial) -> tuple[str, ...]:
    if trial.ready_after is None or trial.scrapes is None or trial.statuses is None:
        return (f"not in {_PATIENCE:.0f} s", *("-" for _ in range(8)))
    return (
        f"{trial.ready_after:.1f} s",
        str(trial.connections),
        str(trial.threads),
        f"{trial.memory / 1e6:,.0f} MB",
        f"{trial.cpu:.1%}",
        f"{trial.broker_cpu:.1%}",
        milliseconds(trial.scrapes.median),
        f"{trial.series:,}",
        milliseconds(trial.statuses.p99),
    )


def _line(name: str, trial: AdminTrial) -> str:
    begin = f"admin-lanes: {name}: {trial.lanes:,} lanes: "
    if trial.ready_after is None or trial.scrapes is None or trial.statuses is None:
        return f"{begin}not ready after {_PATIENCE:.0f} s: BELOW"
    return (
        f"{begin}{trial.connections} connections, {trial.threads} threads, {trial.memory / 1e6:,.0f} MB, "
        f"status of one p50 {milliseconds(trial.statuses.median)}, p99 {milliseconds(trial.statuses.p99)}; "
        f"scrape of {trial.series:,} series at most {milliseconds(trial.scrapes.largest)}: "
        f"{verdict(kept=trial.scrapes.largest < SCRAPE_LIMIT)}"
    )


def _measure(stage: Stage, count: int, checkout: Path, seconds: float) -> AdminTrial:
    stage.say(f"admin-lanes: {count} lanes")
    lanes = stage.lane(WHATSAPP_QUEUE_LANES=lane_specs(count))
    with TemporaryDirectory(prefix="antrian-bench-") as home:
        token = TokenFile(Path(home) / "tokens.toml").create(Role.ADMIN, "bench", time.time())[1]
        child = stage.child(
            *("-m", "antrian", "admin"),
            checkout=checkout,
            AMQP_URL=stage.url,
            WHATSAPP_QUEUE_NAMESPACE=lanes.whatsapp_queue_namespace,
            WHATSAPP_QUEUE_LANES=lane_specs(count),
            ADMIN_PORT=str(_PORT),
            ANTRIAN_HOME=home,
        )
        try:
            with child:
                return _ask(stage, child, token, count, seconds)
        finally:
            stage.remove(lanes)


def _ask(stage: Stage, child: Child, token: str, count: int, seconds: float) -> AdminTrial:
    base, began = f"http://127.0.0.1:{_PORT}", time.monotonic()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"

    def is_ready() -> bool:
        try:
            return session.get(f"{base}/readyz", timeout=60).ok
        except requests.RequestException:
            return False

    try:
        wait_until(is_ready, _PATIENCE, "the admin side is ready", every=0.2)
    except BenchmarkFailed:
        return AdminTrial(count)
    ready_after = time.monotonic() - began
    ours, node = psutil.Process(child.pid), psutil.Process(stage.node.status().pid)
    stage.say(f"admin-lanes: {count} lanes, scrapes")
    used, began, text = (cpu_seconds(ours), cpu_seconds(node)), time.monotonic(), ""
    scrapes: list[float] = []
    while time.monotonic() - began < seconds or len(scrapes) < 3:
        asked_at = time.perf_counter()
        text = session.get(f"{base}/metrics", timeout=60).text
        scrapes.append(time.perf_counter() - asked_at)
        time.sleep(_SCRAPE_PERIOD)
    passed = time.monotonic() - began
    cpu, broker_cpu = ((cpu_seconds(one) - then) / passed for one, then in zip((ours, node), used, strict=True))
    stage.say(f"admin-lanes: {count} lanes, {_QUESTIONS} questions")
    statuses = [_seconds(session, f"{base}{PREFIX}/status?lane=lane{count // 2:04d}") for _ in range(_QUESTIONS)]
    return AdminTrial(
        lanes=count,
        ready_after=ready_after,
        connections=connections_of(stage, ours)[0],
        threads=ours.num_threads(),
        memory=ours.memory_info().rss,
        cpu=cpu,
        broker_cpu=broker_cpu,
        scrapes=Distribution.of(scrapes),
        series=sum(not line.startswith("#") for line in text.splitlines()),
        statuses=Distribution.of(statuses),
    )


def _seconds(session: requests.Session, url: str) -> float:
    began = time.perf_counter()
    session.get(url, timeout=60).raise_for_status()
    return time.perf_counter() - began
