"""Publishes many groups of messages in order, up to `WINDOW` groups under way at a time."""

from collections import deque
from collections.abc import Iterable, Sequence

from antrian.broker.confirms import Confirmation
from antrian.broker.queue_scan.pipelined_operation import WINDOW, PipelinedOperation
from antrian.broker.queue_scan.publication import Publication, Tally


class BulkPublish(PipelinedOperation):
    """Publishes groups of publications; within a group each is confirmed before the next.

    Args:
        urls: the broker's addresses.
        groups: what to publish. It is asked for the next group when there is room, from within the connection's loop:
            it may take some seconds at times, not minutes. A None means: wait until everything before it is settled.
        name: what the broker shows as the connection's name.
        lock: name of an exclusive queue that is held from before the first group is asked for; empty for none.
        patience: seconds to wait for the lock.
    """

    def __init__(
        self,
        urls: Sequence[str],
        groups: Iterable[Sequence[Publication] | None],
        *,
        name: str = "antrian admin",
        lock: str = "",
        patience: float = 0,
    ) -> None:
        super().__init__(urls, name=name, lock=lock, patience=patience)
        self.tally = Tally()
        self._groups = iter(groups)
        self._under_way = 0
        self._settling = False

    def run(self) -> Tally:
        """Publish everything.

        Raises:
            BrokerUnreachable: the connection broke (`ConnectionBroke`), or there is none; what was published until
                then is counted in `tally`.
            BrokerRefused: this user may not.
            Busy: another process holds the lock.
            Exception: whatever `groups` raised.
        """
        self._perform()
        return self.tally

    def _begin(self) -> None:
        while not self._ending and self._under_way < WINDOW and not (self._settling and self._under_way):
            self._settling = False
            try:
                group = next(self._groups, ())
            except Exception as error:  # noqa: BLE001 (whatever it is, pika would take it for a broken connection)
                self._give_up(error)
                return
            if group is None:
                self._settling = True
            elif group:
                self._under_way += 1
                self.tally.seen += 1
                self._publish(deque(group), self._settled)
            else:
                break
        if not self._under_way:
            self._end()

    def _settled(self, confirmation: Confirmation) -> None:
        self._under_way -= 1
        if confirmation is Confirmation.CONFIRMED:
            self.tally.taken += 1
        else:
            self.tally.refused += 1
        self._begin()
