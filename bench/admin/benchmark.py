"""The benchmark `admin`: a million waiting messages and ten thousand held ones, ten open event streams, and questions.

The limits are the project's own: status under 20 ms at the 99th percentile, what is held under 300 ms, the process
under 250 MB, and a history that reads at least 20,000 journal entries a second from nothing.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import requests

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.auth.urls import PREFIX
from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import encode, new_message
from antrian.domain.settings import Settings
from bench.admin.reports import Reports, measure
from bench.child import Child
from bench.distribution import Distribution
from bench.pipelined import Item, PipelinedChannel
from bench.replay.stream import BareReader
from bench.report import Report, Table, milliseconds, verdict
from bench.stage import Stage
from bench.waiting import wait_until

BROWSERS = 10
HELD = 10_000
STATUS_LIMIT, HOLDS_LIMIT, MEMORY_LIMIT, REPLAY_LIMIT = 0.020, 0.300, 250e6, 20_000.0

_PORT = 18_089
_PATIENCE = 900.0


def run(stage: Stage, *, quick: bool) -> Report:
    """Measure with a lane of a million messages, or of fifty thousand.

    Raises:
        BenchmarkFailed: the admin side was not ready in time.
    """
    messages, questions = (50_000, 300) if quick else (1_000_000, 2_000)
    replay = _replay(stage, quick=quick)
    stage.say(f"admin: a history of {messages:,} messages, and reports on it")
    reports = measure(messages)
    lane = stage.lane()
    stage.say(f"admin: publishing {messages:,} messages")
    with PipelinedChannel(stage.url) as channel:
        channel.publish(_messages(Names(lane.whatsapp_queue_namespace), messages))
        channel.publish(_held(Names(lane.whatsapp_queue_namespace), HELD))
    with TemporaryDirectory(prefix="antrian-bench-") as home, _admin(stage, lane, Path(home)) as process:
        base = f"http://127.0.0.1:{_PORT}"
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {_token(Path(home))}"
        stage.say("admin: the history reads the journal")
        _wait_for(base, session, messages + 2 * HELD)
        stage.say(f"admin: {BROWSERS} event streams, {questions:,} questions for the status")
        with _browsers(base, dict(session.headers)):
            times = [_seconds(session, f"{base}{PREFIX}/status") for _ in range(questions)]
            holds = [_seconds(session, f"{base}{PREFIX}/holds") for _ in range(questions // 10)]
            memory = psutil.Process(process.pid).memory_info().rss
    return report(messages, replay, times, holds, memory=memory, reports=reports)


@dataclass(frozen=True, slots=True)
class Replay:
    """Reading a journal from its beginning.

    Attributes:
        entries: how many it has.
        seconds: until the history held them all, more than an empty journal takes.
        peer: seconds that bare pika takes to read them and do nothing with them.
    """

    entries: int
    seconds: float
    peer: float

    @property
    def rate(self) -> float:
        """Entries per second."""
        return self.entries / max(self.seconds, 0.001)

    @property
    def ratio(self) -> float:
        """The history's rate as a part of bare pika's."""
        return self.peer / max(self.seconds, 0.001)


def report(
    messages: int, replay: Replay, times: Sequence[float], holds: Sequence[float], *, memory: int, reports: Reports
) -> Report:
    """The findings; pure."""
    seconds, of_holds = Distribution.of(times), Distribution.of(holds)
    rows = [
        ("status, p50", milliseconds(seconds.median), ""),
        ("status, p99", milliseconds(seconds.p99), milliseconds(STATUS_LIMIT)),
        (f"what holds {HELD:,} messages, p50", milliseconds(of_holds.median), ""),
        ("  p99", milliseconds(of_holds.p99), milliseconds(HOLDS_LIMIT)),
        ("memory of the process", f"{memory / 1e6:,.0f} MB", f"{MEMORY_LIMIT / 1e6:,.0f} MB"),
        ("history from nothing", f"{replay.rate:,.0f} entries/s", f"{REPLAY_LIMIT:,.0f} entries/s"),
        ("  beside bare pika reading", f"{replay.ratio:.2f}", ""),
    ]
    is_quick = seconds.p99 < STATUS_LIMIT and of_holds.p99 < HOLDS_LIMIT
    kept = is_quick and memory < MEMORY_LIMIT and replay.rate >= REPLAY_LIMIT
    line = (
        f"admin: {messages:,} waiting, {HELD:,} held, {BROWSERS} streams: status p99 {milliseconds(seconds.p99)}, "
        f"holds p99 {milliseconds(of_holds.p99)}, "
        f"{memory / 1e6:,.0f} MB, history {replay.rate:,.0f} entries/s: {verdict(kept=kept)}"
    )
    table = Table(f"The admin side with {messages:,} waiting messages", ("what", "measured", "limit"), rows)
    figures = {
        "messages": messages,
        "status_p50": seconds.median,
        "status_p99": seconds.p99,
        "holds_p50": of_holds.median,
        "holds_p99": of_holds.p99,
        "memory_bytes": memory,
        "history_entries_per_second": replay.rate,
        "history_ratio": replay.ratio,
        "reports": asdict(reports),
    }
    return Report("admin", [table, reports.table()], [line, reports.line()], figures)


def _messages(names: Names, count: int) -> Iterator[Item]:
    for number in range(count):
        message = new_message(
            f"+62812{number % 10_000_000:07d}",
            f"Halo kak, pembayaran invoice {number} bisa di https://example.com/bayar/{number} sebelum jam 17.00",
            source="registration",
            now=time.time(),
            priority=("low", "normal", "high")[number % 3],
            message_id=str(uuid.uuid4()),
        )
        body, properties = encode(message)
        yield names.messages, "default", body, properties


def _held(names: Names, count: int) -> Iterator[Item]:
    """Messages that a cap for new contacts holds, twenty a day."""
    for number, item in enumerate(_messages(names, count)):
        yield item
        until = time.time() + 86_400 * (1 + number // 20)
        held = {"reason": "cold_cap", "until": until, "due_at": until, "rule": "cold_daily_cap 20"}
        event = Event("outcome.held", time.time(), "default", str(item[3].message_id), source="bench", details=held)
        yield names.events, event.routing_key, event.encode(), EVENT_PROPERTIES


def _lives(names: Names, count: int) -> Iterator[Item]:
    for item in _messages(names, count):
        yield item
        message_id = str(item[3].message_id)
        for name, details in (("outcome.sending", {"priority": 5}), ("outcome.sent", {"provider_id": message_id})):
            event = Event(name, time.time(), "default", message_id, attempt=1, source="bench", details=details)
            yield names.events, event.routing_key, event.encode(), EVENT_PROPERTIES


def _admin(stage: Stage, lane: Settings, home: Path) -> Child:
    return stage.child(
        "-m",
        "antrian",
        "admin",
        AMQP_URL=stage.url,
        WHATSAPP_QUEUE_NAMESPACE=lane.whatsapp_queue_namespace,
        ADMIN_PORT=str(_PORT),
        ANTRIAN_HOME=str(home),
    )


def _token(home: Path) -> str:
    return TokenFile(home / "tokens.toml").create(Role.ADMIN, "bench", time.time())[1]


def _wait_for(base: str, session: requests.Session, messages: int) -> None:
    """Until the history holds every message."""

    def is_there() -> bool:
        try:
            history = session.get(f"{base}{PREFIX}/status", timeout=5).json()["history"]
        except (requests.RequestException, KeyError, ValueError):
            return False
        return bool(history["offset"] + 1 >= messages and history["caught_up"])

    wait_until(is_there, _PATIENCE, "the history holds every message", every=2)


def _replay(stage: Stage, *, quick: bool) -> Replay:
    """How fast a history is made from nothing; three journal entries for each message, as one that is sent has."""
    entries = 60_000 if quick else 600_000
    lane = stage.lane()
    names = Names(lane.whatsapp_queue_namespace)
    stage.say(f"admin: recording the lives of {entries // 3:,} messages")
    with PipelinedChannel(stage.url) as channel:
        channel.publish(_lives(names, entries // 3))
    with TemporaryDirectory(prefix="antrian-bench-") as home:
        stage.say("admin: a history from nothing")
        seconds = _rebuild(stage, lane, Path(home)) - _rebuild(stage, stage.lane(), Path(home))
    stage.say("admin: bare pika reads the same journal")
    return Replay(entries, seconds, BareReader(stage.url, names.journal, entries).seconds())


def _rebuild(stage: Stage, lane: Settings, home: Path) -> float:
    began = time.monotonic()
    with stage.child(
        *("-m", "antrian", "history", "rebuild", "--json"),
        AMQP_URL=stage.url,
        WHATSAPP_QUEUE_NAMESPACE=lane.whatsapp_queue_namespace,
        ANTRIAN_HOME=str(home),
    ) as rebuild:
        rebuild.wait_for("{", _PATIENCE)
        return time.monotonic() - began


def _browsers(base: str, headers: dict[str, str]) -> ExitStack:
    streams = ExitStack()
    for _ in range(BROWSERS):
        stream = requests.get(f"{base}{PREFIX}/events", headers=headers, stream=True, timeout=60)
        streams.callback(stream.close)
        threading.Thread(target=_read, args=(stream,), daemon=True).start()
    return streams


def _read(stream: requests.Response) -> None:
    try:
        for _ in stream.iter_content(4096):
            pass
    except (requests.RequestException, AttributeError, ValueError):
        return  # closed under us, at the end


def _seconds(session: requests.Session, url: str) -> float:
    began = time.perf_counter()
    session.get(url, timeout=10).raise_for_status()
    return time.perf_counter() - began
