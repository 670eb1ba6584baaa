"""The process that `ReadAhead` starts: a `Task` on stdin, batches on stdout until the reader is gone."""

import math
import os
import pickle
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from antrian.broker.connection import open_channel
from antrian.broker.stream.feed import StreamFeed
from antrian.broker.stream.read_ahead import ReadBatch, Task, send
from antrian.domain.errors import AntrianError

#: Seconds without an entry after which an empty batch goes out: that is how a reader that is gone is noticed.
_TICK = 0.1

#: Seconds between two looks for the stream's end.
_ROUND = 0.5


def run(task: Task, pipe: Connection) -> None:
    """Read until the reader is gone, or the stream cannot be read; then say why.

    Raises:
        BrokenPipeError: the reader is gone.
    """
    try:
        with open_channel(task.urls, name=task.name) as channel:
            # A process is only started for a stream that is long, so silence never means that it is empty.
            feed = StreamFeed(channel, task.stream, task.start, bare=task.bare, silence=math.inf)
            look_at = 0.0
            while True:
                taken = feed.take(_TICK)
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _ROUND
                    feed.look_for_the_end()
                send(pipe, ReadBatch(taken, feed.end_passed_at()))
    except AntrianError as error:
        send(pipe, ReadBatch([], trouble=str(error)))


def main() -> None:
    """Do what stdin says."""
    task = pickle.load(sys.stdin.buffer)  # noqa: S301 (our own process wrote it)
    pipe = Connection(os.dup(sys.stdout.fileno()), readable=False)
    # Nothing but batches may go there.
    os.dup2(sys.stderr.fileno() if sys.stderr else os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with suppress(BrokenPipeError):
        run(task, pipe)


if __name__ == "__main__":
    main()
