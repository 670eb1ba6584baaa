"""A long stream read in a process of its own, so that reading it and making something of it each have a processor.

Only who is far behind needs this; who keeps up reads in the thread that makes something of it, by `StreamFeed`.
"""

import fcntl
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NamedTuple

from antrian.broker.stream.entry import StreamEntry
from antrian.domain.errors import AntrianError

_PROGRAM = "antrian.broker.stream.read_ahead_process"

#: So many entries behind, it is worth a process of its own: that takes half a second to start.
FAR = 50_000

#: Bytes of the pipe: more than a batch has, usually, and the most that Linux gives to any user.
_ROOM = 1 << 20

#: Seconds that the other process may take to end.
_PATIENCE = 5.0


class Task(NamedTuple):
    """What the other process reads; on its stdin, because the addresses hold passwords.

    Attributes:
        urls: the broker's addresses.
        stream: its name.
        start: the offset of an entry that is there, or `first`.
        bare: an exchange whose publishers' properties say nothing; see `StreamFeed`.
        name: what the broker shows as the connection's name.
    """

    urls: tuple[str, ...]
    stream: str
    start: int | str
    bare: str
    name: str


class ReadBatch(NamedTuple):
    """What it hands over at once.

    Attributes:
        entries: the next ones.
        end_passed_at: as `StreamFeed` tells it, with these entries taken.
        trouble: why there will be no more, in one sentence; empty while there will.
    """

    entries: list[StreamEntry]
    end_passed_at: float | None = None
    trouble: str = ""


class ReadingEnded(AntrianError):
    """The other process reads no more, because of the broker or the stream."""


class ReaderLost(AntrianError):
    """There is no other process, or not any more."""


class ReadAhead:
    """Reads a stream from a place on, as `StreamFeed` does, in another process that ends with this object.

    Args:
        urls: the broker's addresses.
        stream: its name.
        start: the offset of an entry that is there, or `first`.
        bare: see `StreamFeed`.
        name: what the broker shows as the connection's name.

    Raises:
        ReaderLost: no process can be started.
    """

    def __init__(self, urls: Sequence[str], stream: str, start: int | str, *, bare: str, name: str) -> None:
        self._end_passed_at: float | None = None
        try:
            self._pipe, far = Pipe(duplex=False)
            with far:
                _widen(far.fileno())
                self._process = _started(far.fileno())
        except OSError as error:
            raise ReaderLost(f"no process can be started to read {stream}: {error.strerror}") from error
        with suppress(BrokenPipeError), self._process.stdin as stdin:  # type: ignore[union-attr]
            # Should it have ended already, there is nothing to take.
            pickle.dump(Task(tuple(urls), stream, start, bare, name), stdin)

    def take(self, timeout: float) -> list[StreamEntry]:
        """The next entries; waits for them at most `timeout` seconds.

        Raises:
            ReadingEnded: there will be no more.
            ReaderLost: the other process has ended.
        """
        try:
            if not self._pipe.poll(timeout):
                return []
            batch = receive(self._pipe)
        except (EOFError, OSError) as error:
            # The second one when it was killed in the middle of a batch.
            raise ReaderLost("the process that reads the stream has ended") from error
        if batch.trouble:
            raise ReadingEnded(batch.trouble)
        self._end_passed_at = batch.end_passed_at or self._end_passed_at
        return batch.entries

    def look_for_the_end(self) -> None:
        """The other process does so by itself."""

    def end_passed_at(self) -> float | None:
        """A time at which the stream held nothing but what was taken since; None if there is no later one to tell."""
        at, self._end_passed_at = self._end_passed_at, None
        return at

    def close(self) -> None:
        """End the other process."""
        self._pipe.close()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _started(out: int) -> "subprocess.Popen[bytes]":
    # A Ctrl-C on our terminal is ours: in a session of its own, the other process does not hear it.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _PROGRAM], stdin=subprocess.PIPE, stdout=out, start_new_session=True
    )


def _widen(pipe: int) -> None:
    """Make room for what comes while a batch is being written; where that cannot be, it is only slower."""
    with suppress(AttributeError, OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM)


def send(pipe: Connection, batch: ReadBatch) -> None:
    """Hand a batch over; waits until the one before is taken.

    Raises:
        BrokenPipeError: the reader is gone.
    """
    pipe.send_bytes(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL))


def receive(pipe: Connection) -> ReadBatch:
    """The next batch.

    Raises:
        EOFError: there is none, and will be none.
    """
    batch: ReadBatch = pickle.loads(pipe.recv_bytes())  # noqa: S301 (our own process wrote it)
    return batch
