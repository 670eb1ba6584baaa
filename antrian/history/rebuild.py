"""Making the history again from the journal, beside the one that is in use, which it then replaces in one step."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from antrian.domain.errors import AntrianError
from antrian.domain.settings import Settings
from antrian.history.follower import HistoryFollower
from antrian.history.journal.watermark import Watermark
from antrian.history.projection import history_file
from antrian.history.projection.writer_lock import WriterLock
from antrian.history.queries.history import History
from antrian.history.records import Position

#: Seconds without progress after which there is no use in waiting.
PATIENCE = 10.0

#: Seconds that the indexes of a long history may take; what is missing then is made by the next follower.
INDEX_PATIENCE = 900.0

_STEP, _GLANCE = 0.5, 0.1


class RebuildFailed(AntrianError):
    """The history could not be made again; the one that was in use stays."""


def rebuild(
    settings: Settings,
    path: Path,
    urls: Sequence[str],
    *,
    on_progress: Callable[[int], None] = lambda _entries: None,
) -> Position:
    """Make the history again; its readers and its writer notice.

    Args:
        settings: of the process.
        path: of the history.
        urls: the broker's addresses.
        on_progress: takes the number of journal entries that were read so far.

    Raises:
        RebuildFailed: it was not finished.
    """
    lock = WriterLock(path, ".rebuild")
    if not lock.acquire():
        raise RebuildFailed("another process is already rebuilding the history")
    history_file.discard_orphans(path)
    fresh = history_file.build(path)
    try:
        position = _fill(settings, fresh, urls, on_progress)
        history_file.swap(path, fresh)
    except (sqlite3.Error, OSError) as error:
        raise RebuildFailed(f"the history could not be rebuilt: {error}") from error
    finally:
        history_file.discard(fresh)
        with contextlib.suppress(OSError):
            Path(f"{fresh}.lock").unlink()
        lock.release()
    return position


def _fill(settings: Settings, fresh: Path, urls: Sequence[str], on_progress: Callable[[int], None]) -> Position:
    follower = HistoryFollower(settings, fresh, urls=urls, quiet=True)
    history = History(fresh)
    follower.start()
    try:
        if not catch_up(follower, history, on_progress):
            raise RebuildFailed(
                f"the history could not be rebuilt: {follower.trouble or 'the journal does not answer'}"
            )
        # A follower makes the indexes before it calls a history checked; in a file in use they would hold it up.
        wait_until_checked(follower, history, patience=INDEX_PATIENCE)
        return history.position()
    finally:
        follower.stop()
        history.close()


def wait_until_checked(
    follower: HistoryFollower, history: History, *, since: float = 0.0, patience: float, in_trouble: float = 0.0
) -> bool:
    """Wait until the history was compared with the journal that there is, and has its indexes; whether it was.

    Args:
        follower: what compares them.
        history: what it writes.
        since: unix seconds; an earlier comparison does not count.
        patience: seconds that the indexes may take.
        in_trouble: seconds of patience while the follower does not get on.
    """
    began = time.monotonic()
    while (checked_at := history.position().checked_at) is None or checked_at < since:
        if time.monotonic() - began >= (in_trouble if follower.trouble else patience):
            return False
        time.sleep(_GLANCE)
    return True


def catch_up(
    follower: HistoryFollower,
    history: History,
    on_progress: Callable[[int], None] = lambda _entries: None,
    patience: float = PATIENCE,
) -> bool:
    """Wait until the history holds what the journal held at first, for as long as it comes nearer; whether it does."""
    mark: Watermark | None = None
    entries, deadline = -1, time.monotonic() + patience
    while time.monotonic() < deadline:
        mark = follower.journal_mark() if mark is None else mark
        position = history.position()
        if mark is not None and mark.is_reached(position):
            return True
        if position.entries != entries:
            entries, deadline = position.entries, time.monotonic() + patience
            on_progress(entries)
        elif time.monotonic() > deadline - patience + _STEP:
            # It stands still: perhaps the broker is away, or the journal was made again.
            mark = None
        # Asking at every step would hold a busy follower up.
        time.sleep(_GLANCE)
    return False
