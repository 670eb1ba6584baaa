"""What the demo shows: a live table on a terminal, a line for each event everywhere else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from antrian.domain.receipt import ReceiptStatus
from antrian.up.scenario import Registration, gaps

_COLOURS = {"good": "green", "wait": "yellow", "bad": "red"}
_NEWS_KEPT = 6


@dataclass(slots=True)
class DemoView:
    """Shows the rows and the news; use it as a context manager.

    Args:
        console: where to; a terminal gets a table that changes in place.
    """

    console: Console
    _live: Live | None = None
    _news: list[str] = field(default_factory=list)
    _printed: set[tuple[str, str, int]] = field(default_factory=set)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tell(self, sentence: str) -> None:
        """Show a piece of news."""
        if self._live is None:
            self.console.print(Text(sentence), soft_wrap=True)
        self._news = [*self._news, f"{datetime.now():%H:%M:%S} {sentence}"][-_NEWS_KEPT:]  # noqa: DTZ005 (people's own clock)

    def conclude(self, sentence: str) -> None:
        """Show the last word, below everything else."""
        self.console.print(Text(sentence), soft_wrap=True)

    def show(self, rows: Sequence[Registration], countdown: str) -> None:
        """Show how things stand; `countdown` says when the next send is due."""
        if self._live is not None:
            self._live.update(Group(_table(rows), Text(countdown, style="bold"), *map(Text, self._news)))
            return
        for row in rows:
            mark = (row.name, row.told, row.attempt)
            if mark not in self._printed and row.message_id:
                self._printed.add(mark)
                self.console.print(Text(_line(row, rows)))


def _table(rows: Sequence[Registration]) -> RenderableType:
    table = Table(title="Five registrations within four seconds", title_justify="left")
    for heading in ("who", "priority", "state", "reached WhatsApp at", "after the one before"):
        table.add_column(heading)
    for row in rows:
        style = _COLOURS.get("bad" if row.delivery is ReceiptStatus.FAILED else row.tone, "dim")
        table.add_row(row.name, "high", Text(row.told, style=style), _clock(row.arrived_at), _gap(row, rows))
    return table


def _line(row: Registration, rows: Sequence[Registration]) -> str:
    if row.delivery:
        return f"{row.name}: {row.told}"
    times = f" at {_clock(row.arrived_at)}" if row.arrived_at and row.end == "sent" else ""
    gap = _gap(row, rows)
    return f"{row.name}: {row.state}{times}" + (f", {gap} after the one before" if gap and row.end == "sent" else "")


def _clock(at: float | None) -> str:
    return f"{datetime.fromtimestamp(at):%H:%M:%S.%f}"[:-3] if at else ""  # noqa: DTZ006 (people's own clock)


def _gap(row: Registration, rows: Sequence[Registration]) -> str:
    earlier = [
        other.arrived_at for other in rows if other.arrived_at and row.arrived_at and other.arrived_at < row.arrived_at
    ]
    return f"{row.arrived_at - max(earlier):.3f} s" if earlier and row.arrived_at else ""


def summary(rows: Sequence[Registration], delay: float) -> str:
    """What the demo has shown, in a sentence."""
    measured = gaps(list(rows))
    if not measured:
        return "The demo is over."
    kept = "never closer than" if min(measured) >= delay else "closer than"
    return (
        f"{len(measured) + 1} messages reached the sandbox, {kept} the delay of {delay:g} s: "
        f"the gaps were {', '.join(f'{gap:.3f}' for gap in measured)} s.{_delivered(rows)}"
    )


def _delivered(rows: Sequence[Registration]) -> str:
    arrived = sum(row.delivery in {ReceiptStatus.DELIVERED, ReceiptStatus.READ} for row in rows)
    read = sum(row.delivery is ReceiptStatus.READ for row in rows)
    return f" {arrived} were delivered, and {read} of them read." if arrived else ""
