"""Callbacks that were given up: looked at, put back, or deleted."""

from collections.abc import Collection, Iterator, Sequence

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import open_channel
from antrian.broker.topology import Names
from antrian.operations.callbacks.callback_task import CallbackTask
from antrian.operations.callbacks.sender import counted, publish


class DeadCallbacks:
    """The queue of those that were given up.

    Args:
        urls: the broker's addresses.
        names: of the namespace.
    """

    def __init__(self, urls: Sequence[str], names: Names) -> None:
        self._urls = urls
        self._names = names

    def count(self) -> int:
        """How many there are.

        Raises:
            BrokerError: the broker is not there.
        """
        with open_channel(self._urls, name="antrian dead callbacks") as channel:
            return counted(channel, self._names).dead

    def oldest(self, limit: int) -> list[CallbackTask]:
        """The first of them; they stay where they are.

        Raises:
            BrokerError: the broker is not there.
        """
        with open_channel(self._urls, name="antrian dead callbacks") as channel:
            # What was looked at goes back when the connection ends.
            found = (task for _, task in self._looked_through(channel, limit))
            return [task for task in found if task is not None]

    def retry(self, ids: Collection[str] | None = None) -> int:
        """Put them back into the queue, to be tried as if for the first time; how many.

        Args:
            ids: of webhooks; None for all.

        Raises:
            BrokerError: it was interrupted; doing it again goes on.
        """
        return self._take(ids, again=True)

    def purge(self, ids: Collection[str] | None = None) -> int:
        """Delete them; how many.

        Args:
            ids: of webhooks; None for all.

        Raises:
            BrokerError: it was interrupted; doing it again goes on.
        """
        return self._take(ids, again=False)

    def _take(self, ids: Collection[str] | None, *, again: bool) -> int:
        taken = 0
        with open_channel(self._urls, name="antrian dead callbacks") as channel:
            # Those that come meanwhile are not meant.
            count = channel.queue_declare(self._names.dead_callbacks, passive=True).method.message_count
            for tag, task in self._looked_through(channel, count):
                if task is None and (again or ids is not None):
                    continue
                if ids is not None and task is not None and task.webhook_id not in ids:
                    continue
                if again and task is not None:
                    fresh = CallbackTask(task.webhook_id, task.target, task.kind, task.payload)
                    publish(channel, fresh.at_once(self._names))
                channel.basic_ack(tag)
                taken += 1
        return taken

    def _looked_through(self, channel: BlockingChannel, most: int) -> Iterator[tuple[int, CallbackTask | None]]:
        for _ in range(most):
            method, _properties, body = channel.basic_get(self._names.dead_callbacks)
            if method is None:
                return
            yield method.delivery_tag, CallbackTask.decode(body or b"")
