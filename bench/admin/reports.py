"""The report beside plain counting, in a history of two months that is filled without a broker."""

import heapq
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from antrian.broker.stream.entry import StreamEntry
from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import encode, new_message
from antrian.history.projection import history_file
from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries.history import History
from antrian.history.queries.report import Period
from bench.report import Table, milliseconds

_DAYS = 62
_ROUNDS = 15
_BATCH = 2_000
_SOURCES = ("registration", "payment", "reminder", "news", "support")
_PRIORITIES = ("low", "normal", "high")

#: Its days do not begin with an hour of UTC.
_PLACE = ZoneInfo("Asia/Kathmandu")


@dataclass(frozen=True, slots=True)
class Reports:
    """What was measured, in seconds; medians.

    Attributes:
        messages: in the history.
        entries_per_second: at which the history was filled, in processor time of this process.
        periods: how long each report took.
        processor: of the longest of them, the time of the processor.
        chart: how long the chart over seven days took.
        count: how long counting the messages took, without more.
    """

    messages: int
    entries_per_second: float
    periods: dict[str, float]
    processor: float
    chart: float
    count: float

    def table(self) -> Table:
        """For people."""
        rows = [(f"report, {name}", milliseconds(seconds)) for name, seconds in self.periods.items()]
        rows += [
            ("  of it processor time, 30d", milliseconds(self.processor)),
            ("charts, 7 days", milliseconds(self.chart)),
            ("SELECT count(*) FROM messages", milliseconds(self.count)),
        ]
        title = f"Reports, {self.messages:,} messages in {_DAYS} days"
        return Table(title, ("what", "median"), rows)

    def line(self) -> str:
        """For grep."""
        longest = max(self.periods.values())
        return (
            f"admin: report with {self.messages:,} messages in the history: {milliseconds(longest)}, "
            f"counting them {milliseconds(self.count)}"
        )


def measure(messages: int) -> Reports:
    """Fill a history with the lives of so many messages, and ask it for reports."""
    with TemporaryDirectory(prefix="antrian-bench-") as home:
        path = Path(home) / "history-wa.db"
        now = time.time()
        rate = _fill(path, messages, now)
        history = History(path)
        edges = [now - (56 - number) * 3 * 3600 for number in range(57)]
        aligned = [edge // 900 * 900 for edge in edges]
        connection = sqlite3.connect(path)
        found = Reports(
            messages,
            rate,
            {period.value: _median(lambda period=period: history.report(period, _PLACE, now=now)) for period in Period},
            _median(lambda: history.report(Period.MONTH, _PLACE, now=now), time.thread_time),
            _median(lambda: history.analytics(aligned)),
            _median(lambda: connection.execute("SELECT count(*) FROM messages").fetchone()),
        )
        connection.close()
        history.close()
    return found


def _median(ask: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = clock()
        ask()
        times.append(clock() - began)
    return median(times)


def _fill(path: Path, messages: int, now: float) -> float:
    history_file.create(path)
    writer = HistoryWriter(path, Names("wa"))
    deliveries, spent = _deliveries(Names("wa"), messages, now), 0.0
    while batch := list(islice(deliveries, _BATCH)):
        began = time.process_time()
        writer.take(batch, now=now)
        spent += time.process_time() - began
    writer.finish()
    writer.checked(now)
    writer.close()
    return 3 * messages / max(spent, 0.001)


def _deliveries(names: Names, messages: int, now: float) -> Iterator[StreamEntry]:
    """The journal of so many messages, three entries each."""
    for offset, (_, exchange, key, properties, body) in enumerate(_entries(names, messages, now)):
        yield StreamEntry(offset, exchange, key, properties, body)


def _entries(names: Names, messages: int, now: float) -> Iterator[Sequence[object]]:
    chance = random.Random(9)
    step = _DAYS * 86_400 / messages
    under_way: list[tuple[float, int]] = []
    for number in range(messages):
        at = now - _DAYS * 86_400 + number * step
        while under_way and under_way[0][0] <= at:
            yield from _end(names, *heapq.heappop(under_way))
        message = new_message(
            f"+62812{number % 10_000_000:07d}",
            "Halo kak, pembayaran bisa di https://example.com/bayar sebelum jam 17.00",
            source=chance.choice(_SOURCES),
            priority=chance.choice(_PRIORITIES),
            now=at,
            message_id=_name(number),
        )
        body, properties = encode(message)
        yield at, names.messages, "default", properties, body
        heapq.heappush(under_way, (at + chance.lognormvariate(3, 1.2), number))
    while under_way:
        yield from _end(names, *heapq.heappop(under_way))


def _end(names: Names, at: float, number: int) -> Iterator[Sequence[object]]:
    """Two of a hundred are given up."""
    last = (
        ("outcome.dead", {"code": "not-on-whatsapp"}) if number % 50 == 0 else ("outcome.sent", {"provider_id": number})
    )
    for name, details in (("outcome.sending", {"priority": 5}), last):
        event = Event(name, at, "default", _name(number), attempt=1, source="bench", details=details)
        yield at, names.events, event.routing_key, EVENT_PROPERTIES, event.encode()


def _name(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
