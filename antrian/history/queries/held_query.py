"""What is held, and what goes before a message that waits: each answered out of one index."""

from antrian.history.queries.reader import Reader
from antrian.history.records import DelayedCount, HeldCount, MessageState

#: What is held is filed as scheduled, with a reason.
_HELD = (
    "FROM messages INDEXED BY messages_held WHERE state = 'scheduled' AND hold_reason IS NOT NULL AND due_at > ? "
    "AND lane = ?"
)

_COUNTS = (
    "SELECT hold_reason, max(coalesce(hold_rule, '')), count(*), min(due_at), max(due_at), min(hold_until), "
    f"min(born_at) {_HELD} GROUP BY hold_reason"
)
_OF_LANES = (
    "SELECT lane, hold_reason, max(coalesce(hold_rule, '')), count(*), min(due_at), max(due_at), min(hold_until), "
    "min(born_at) FROM messages INDEXED BY messages_held "
    "WHERE state = 'scheduled' AND hold_reason IS NOT NULL AND due_at > ? GROUP BY lane, hold_reason"
)
_SPAN = "count(*), min(due_at), max(due_at) FROM messages INDEXED BY"
_SCHEDULED = f"{_SPAN} messages_timed WHERE state = 'scheduled' AND hold_reason IS NULL AND due_at > ?"
_RETRYING = f"{_SPAN} messages_delayed WHERE state IN ('retrying', 'scheduled') AND state = 'retrying' AND due_at > ?"
_DELAYED = {MessageState.SCHEDULED: _SCHEDULED, MessageState.RETRYING: _RETRYING}
_DUE_TIMES = f"SELECT due_at, count(*) {_HELD} GROUP BY due_at ORDER BY due_at LIMIT ?"

#: Held messages of all lanes, for the counts by state.
COUNT_BY_STATE = (
    "SELECT count(*) FROM messages INDEXED BY messages_held "
    "WHERE state = 'scheduled' AND hold_reason IS NOT NULL AND due_at > ?"
)

_PLACE = (
    "SELECT (SELECT count(*) FROM messages m INDEXED BY messages_waiting WHERE m.state = 'waiting' "
    "AND m.lane = one.lane AND m.rank > one.rank) + (SELECT count(*) FROM messages m INDEXED BY messages_waiting "
    "WHERE m.state = 'waiting' AND m.lane = one.lane AND m.rank = one.rank "
    "AND (m.entered_at, m.entered_seq) < (one.entered_at, one.entered_seq)) "
    "FROM messages one WHERE one.message_id = ? AND one.state = 'waiting'"
)

_WAITING = (
    "SELECT rank >= 10, count(*) FROM messages INDEXED BY messages_waiting WHERE state = 'waiting' AND lane = ? "
    "GROUP BY rank >= 10"
)


def held_counts(reader: Reader, lane: str, now: float) -> list[HeldCount]:
    """The held messages of a lane by their reason."""
    return [HeldCount(*row) for row in reader.rows(_COUNTS, (now, lane))]


def delayed_counts(reader: Reader, lane: str, now: float) -> list[DelayedCount]:
    """The messages of a lane that come back at a time of their own."""
    found = ((state, reader.row(f"SELECT {sql} AND lane = ?", (now, lane))) for state, sql in _DELAYED.items())
    return [DelayedCount(state, *row) for state, row in found if row is not None and row[0]]


def held_by_lane(reader: Reader, now: float) -> dict[str, list[HeldCount]]:
    """The held messages of each lane by their reason."""
    found: dict[str, list[HeldCount]] = {}
    for lane, *values in reader.rows(_OF_LANES, (now,)):
        found.setdefault(lane, []).append(HeldCount(*values))
    return found


def delayed_by_lane(reader: Reader, now: float) -> dict[str, list[DelayedCount]]:
    """The messages of each lane that come back at a time of their own."""
    found: dict[str, list[DelayedCount]] = {}
    for state, sql in _DELAYED.items():
        for lane, *values in reader.rows(f"SELECT lane, {sql} GROUP BY lane", (now,)):
            found.setdefault(lane, []).append(DelayedCount(state, *values))
    return found


def held_due_times(reader: Reader, lane: str, now: float, limit: int) -> list[tuple[float, int]]:
    """When the delay ladder gives held messages of a lane back, unix seconds, and how many; the first ones first."""
    return [(due_at, count) for due_at, count in reader.rows(_DUE_TIMES, (now, lane, limit))]


def place_of(reader: Reader, message_id: str) -> int | None:
    """How many messages go before a message that waits in its lane; None for one that does not."""
    row = reader.row(_PLACE, (message_id,))
    return None if row is None else int(row[0])


def waiting_counts(reader: Reader, lane: str) -> tuple[int, int]:
    """How many messages wait in a lane: those that are not urgent, and those that are."""
    found = {bool(is_urgent): count for is_urgent, count in reader.rows(_WAITING, (lane,))}
    return found.get(False, 0), found.get(True, 0)
