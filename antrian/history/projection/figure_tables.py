"""The tables of figures: sums by lane, time and other things, to which every batch adds."""

from antrian.history.projection.columns import Table


def _sums(name: str, key: dict[str, str], values: dict[str, str]) -> Table:
    columns = {column: f"{kind} NOT NULL" for column, kind in (key | values).items()}
    return Table(name, columns, more=(f"PRIMARY KEY ({', '.join(key)})",), ending=" WITHOUT ROWID")


_WAITS = {"count": "INTEGER", "seconds": "REAL", "bins": "BLOB"}

#: Messages in each state.
TALLIES = _sums("tallies", {"lane": "TEXT", "state": "TEXT"}, {"count": "INTEGER"})

#: What happened in each minute; see `Minute`.
MINUTES = _sums(
    "minutes",
    {"minute": "INTEGER", "lane": "TEXT"},
    dict.fromkeys(("queued", "sent", "failed", "dead", "opened", "peak"), "INTEGER"),
)

#: How long messages waited that were sent in each minute, and in each quarter of an hour; see `Wait`.
WAITS = _sums("waits", {"minute": "INTEGER", "lane": "TEXT", "priority": "TEXT"}, _WAITS)
QUARTER_WAITS = _sums("quarter_waits", {"quarter": "INTEGER", "lane": "TEXT", "priority": "TEXT"}, _WAITS)

#: Messages that ended in each quarter of an hour, and why those failed; see `Figures`.
QUARTERS = _sums(
    "quarters", {"quarter": "INTEGER", "lane": "TEXT", "source": "TEXT"}, {"sent": "INTEGER", "failed": "INTEGER"}
)
CAUSES = _sums("causes", {"quarter": "INTEGER", "lane": "TEXT", "cause": "TEXT"}, {"count": "INTEGER"})

#: Holds that ended in each quarter of an hour, and how long they took; and what recipients did not want.
HOLDS = _sums(
    "holds", {"quarter": "INTEGER", "lane": "TEXT", "reason": "TEXT"}, {"count": "INTEGER", "seconds": "REAL"}
)
OPT_OUTS = _sums("opt_outs", {"quarter": "INTEGER", "lane": "TEXT", "source": "TEXT"}, {"count": "INTEGER"})

#: What became of the messages that a provider took in each quarter of an hour, and how long it took; see `Delivered`.
DELIVERIES = _sums(
    "deliveries",
    {"quarter": "INTEGER", "lane": "TEXT", "provider": "TEXT"},
    dict.fromkeys(("handed_over", "delivered", "read", "failed"), "INTEGER") | _WAITS,
)
