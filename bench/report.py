"""What a benchmark has found: tables for people, figures for programs, and a plain line for grep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """Figures side by side.

    Attributes:
        title: what was measured.
        columns: their headings; the first names the rows, and is the only one aligned to the left.
        rows: one text for each column.
        note: a sentence below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def draw(self) -> RichTable:
        """The table for a terminal."""
        table = RichTable(
            title=self.title,
            caption=self.note or None,
            box=box.SIMPLE_HEAD,
            title_justify="left",
            caption_justify="left",
        )
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one benchmark.

    Attributes:
        name: of the benchmark.
        tables: for people.
        lines: one plain sentence for each finding, beginning with the benchmark's name.
        figures: all that the tables show, as JSON values; seconds unless a name says otherwise.
    """

    name: str
    tables: Sequence[Table]
    lines: Sequence[str]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def print_on(self, console: Console) -> None:
        """Show the tables and then the lines."""
        for table in self.tables:
            console.print(table.draw())
        for line in self.lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print()


def verdict(*, kept: bool) -> str:
    """The last word of a line that has a target."""
    return "OK" if kept else "BELOW"


def milliseconds(seconds: float) -> str:
    """Seconds as a table shows them: `0.71 ms`, `3.4 ms`, `1,205 ms`."""
    value = seconds * 1000
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} ms"
