"""What an admin side does about providers' reports: its two threads, and what they need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.domain.settings import Settings
from antrian.operations.callbacks.callback_target import CallbackTargets
from antrian.operations.callbacks.sender import CallbackSender
from antrian.operations.contacts.opt_outs import OptOuts
from antrian.operations.receipts.callbacks_due import CallbacksDue
from antrian.operations.receipts.inbound import Answers
from antrian.operations.receipts.worker import ReceiptsWorker
from publisher import Publisher

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds for the history to read all that there is; well within a connection's heartbeat.
_PATIENCE = 10.0


class ObservesReports(Protocol):
    """Counts what was done."""

    def count_report(self, result: str) -> None:
        """A report was worked on."""

    def count_callback(self, result: str) -> None:
        """A service was told something, or was not."""

    def observe_callbacks(self, waiting: int, dead: int) -> None:
        """So many callbacks there are."""


class ReportsService:
    """Works on reports and makes callbacks as long as the process lives.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        history: of the process.
        follower: of that history.
        targets: whom callbacks go to.
        publisher: queues answers.
        opt_outs: knows the words by which people opt out.
        book: who is known.
        observer: counts.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        history: "History",
        follower: "HistoryFollower",
        *,
        targets: CallbackTargets,
        publisher: Publisher,
        opt_outs: OptOuts,
        book: ContactBook,
        observer: ObservesReports,
    ) -> None:
        self._settings = settings
        names = Names(settings.whatsapp_queue_namespace)
        answers = Answers(lambda: self._settings, opt_outs, publisher)
        due = CallbacksDue(targets, names, history, lambda: follower.catch_up(_PATIENCE), answers)
        self._worker = ReceiptsWorker(
            settings, urls, history, follower, book=book, more=due, count=observer.count_report
        )
        self._sender = CallbackSender(
            targets,
            urls,
            names,
            count=observer.count_callback,
            on_counts=lambda counts: observer.observe_callbacks(counts.waiting, counts.dead),
        )

    def start(self) -> None:
        """Begin; returns at once."""
        self._worker.start()
        self._sender.start()

    def stop(self) -> None:
        """End; another process works on what is left."""
        self._worker.stop()
        self._sender.stop()

    @property
    def is_well(self) -> bool:
        """Whether both threads run."""
        return self._worker.is_well and self._sender.is_well

    def serve_lanes(self, settings: Settings) -> None:
        """Other lanes are served from now on."""
        self._settings = settings
        self._worker.serve_lanes(settings)
