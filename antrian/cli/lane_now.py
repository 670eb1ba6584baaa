"""What a command that looks at one lane, or one message, needs to know of holds."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from antrian.broker.connection import broker_urls, open_channel
from antrian.domain.errors import BrokerError, NoBroker
from antrian.domain.settings import Settings
from antrian.history.records import MessageRecord, MessageState
from antrian.operations.lane.held_forecast import with_held
from antrian.operations.lane.held_now import HeldNow
from antrian.operations.lane.lanes_reader import LaneNotDeclared, LanesReader
from antrian.operations.lane.status import Status

#: Seconds for which a history says how much is held: an admin process that follows it looks every few seconds.
_FRESH = 60.0

#: States of messages that wait for what their lane waits for; a hold may just be over.
_IN_LANE = frozenset({MessageState.WAITING, MessageState.HELD})


def with_history(status: Status, settings: Settings, held: HeldNow | None = None) -> Status:
    """The status with what is held, where an admin process keeps the history up to date.

    Args:
        status: as the broker tells it.
        settings: of the process.
        held: counts, for those who ask again and again.
    """
    limits = settings.lanes.known(status.lane).limits
    # Imported late: it takes longer than all the rest of the command.
    from antrian.history.queries.history import History, history_path  # noqa: PLC0415

    path = history_path(settings)
    if not path.exists():
        return with_held(status, None, limits)
    history = History(path)
    try:
        checked_at = history.position().checked_at
        if checked_at is None or status.at - checked_at > _FRESH:
            return with_held(status, None, limits)
        known = with_held(status, (held or HeldNow()).of(history, status.lane), limits)
        in_all = history.counts()[MessageState.HELD]
    finally:
        history.close()
    return replace(known, scheduled=max(0, known.scheduled - in_all))


def lanes_of(records: Iterable[MessageRecord], settings: Settings) -> dict[str, Status]:
    """The lanes in whose queues any of these messages wait, as the broker tells them; without it, none."""
    lanes = sorted({one.lane for one in records if one.state in _IN_LANE})
    try:
        return statuses(settings, lanes) if lanes else {}
    except (BrokerError, NoBroker):
        return {}


def statuses(settings: Settings, lanes: Sequence[str]) -> dict[str, Status]:
    """Lanes as the broker tells them; one that it does not have is left out.

    Raises:
        BrokerError: it does not answer.
        NoBroker: there is none.
    """
    found: dict[str, Status] = {}
    with open_channel(broker_urls(settings), name="antrian holds") as channel:
        reader = LanesReader(channel, settings)
        reader.catch_up(lanes)
        for lane in lanes:
            with suppress(LaneNotDeclared):
                found[lane] = reader.status(lane)
    return found
