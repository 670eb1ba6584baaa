"""`antrian admin` as a process: everything is built here, served until a signal, and ended in order."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, Protocol

import structlog
import uvicorn
from fastapi import FastAPI

from admin_api.app import create_app
from admin_api.auth.audit import AuditTrail
from admin_api.auth.tokens import TokenFile
from admin_api.broadcast import Broadcast, told
from admin_api.checkup import Checkups, RunsExamination
from admin_api.dependencies import Services
from admin_api.ingest import Ingest
from admin_api.lanes_follower import LanesFollower
from admin_api.message_facts import KnownMessages
from admin_api.metrics import Metrics
from antrian.broker import topology_sync
from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.gc_tuning import collect_rarely
from antrian.broker.topology import Names, topology
from antrian.contacts.book import ContactBook
from antrian.contacts.book_file import book_folder
from antrian.contacts.follower import ContactsFollower, following
from antrian.domain.errors import AntrianError, BrokerError, PortBusy
from antrian.domain.settings import Settings
from antrian.history.follower import HistoryFollower
from antrian.history.projection.delivery import DeliveryChange
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.operations.bulk_import.already_queued import known_here
from antrian.operations.bulk_import.upload import Uploads
from antrian.operations.callbacks.callback_target import CallbackTargets
from antrian.operations.contacts.opt_outs import OptOuts
from antrian.operations.dead_letters.service import DeadLetterService
from antrian.operations.dead_letters.undo import Undo
from antrian.operations.lane.observer import LanesObserver
from antrian.operations.lane.release_job import HeldReleases, ReleaseResumption
from antrian.operations.receipts.service import ReportsService
from publisher import Publisher
from publisher.metrics import instrument

#: Seconds that open requests may still take when the process is to end.
_GRACE = 5

_log = structlog.get_logger()


class _Thread(Protocol):
    """What works in the background as long as the process lives."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class AdminProcess:
    """The HTTP API and the dashboard.

    Args:
        settings: of the process.
        examine: begins an examination of the whole system, for those who ask over HTTP.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
        SettingsError: an address or a secret for callbacks is wrong or missing.
    """

    def __init__(self, settings: Settings, examine: Callable[[Settings], RunsExamination]) -> None:
        self._settings = settings
        self._examine = examine
        self._urls = broker_urls(settings)
        self._callback_targets = CallbackTargets.of(settings)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            PortBusy: the address cannot be listened on.
        """
        with _listening_socket(self._settings) as listener, self._services() as services:
            self._make_topology()
            app = create_app(services)
            server = _Server(uvicorn.Config(app, **_uvicorn_options(self._settings)), services.broadcast)
            host, port = listener.getsockname()[:2]
            _log.info("admin.ready", address=f"http://{host}:{port}")
            self._tell_how_to_log_in()
            collect_rarely()
            lanes = LanesFollower(self._settings, partial(self._serve_lanes, app))
            lanes.start()
            try:
                server.run(sockets=[listener])
            finally:
                lanes.stop()
        _log.info("admin.left")

    def _serve_lanes(self, app: FastAPI, settings: Settings) -> None:
        """Serve other lanes: requests that begin from now on know them."""
        before: Services = app.state.services
        self._settings = settings
        self._make_topology()
        before.observer.serve_lanes(settings)
        before.reports.serve_lanes(settings)
        before.metrics.serve_lanes(settings.lanes.names)
        before.intake.lanes = before.uploads.lanes = settings.lanes
        app.state.services = replace(before, settings=settings)

    def _tell_how_to_log_in(self) -> None:
        # A file that cannot be read is reported at the first request.
        with suppress(AntrianError):
            if not TokenFile(self._settings.tokens_file).tokens():
                _log.warning("admin.nobody-can-log-in", do="antrian token create --role admin")

    def _make_topology(self) -> None:
        # Without a broker the process serves all the same: it says what is wrong, and goes on when the broker is back.
        try:
            with open_channel(self._urls, name="antrian admin set-up") as channel:
                topology_sync.apply(channel.connection, topology(self._settings))
        except BrokerError as error:
            _log.warning("broker.trouble", reason=str(error))

    @contextmanager
    def _services(self) -> Iterator[Services]:
        settings, broadcast = self._settings, Broadcast()
        history = History(history_path(settings))
        with ExitStack() as ending:
            metrics = Metrics(settings.lanes.names)

            def tell(change: DeliveryChange) -> None:
                metrics.observe_delivery(change)
                if change.is_news:
                    broadcast.hear(told(change))

            follower = HistoryFollower(settings, history_path(settings), urls=self._urls, on_delivery=tell)
            observer = LanesObserver(settings, self._urls, tuple(settings.lanes), broadcast.hear)
            audit = AuditTrail(settings, self._urls)
            publisher = ending.enter_context(Publisher(settings, source="admin"))
            names = Names(settings.whatsapp_queue_namespace)
            book = ContactBook(book_folder(settings))
            contacts = ending.enter_context(following(ContactsFollower(self._urls, names, book, name="antrian admin")))
            threads: tuple[_Thread, ...] = (follower, audit, observer)
            for thread in threads:
                thread.start()
                ending.callback(thread.stop)
            dead_letters = DeadLetterService(settings, history, follower)
            ending.callback(dead_letters.close)
            releases = HeldReleases(settings, dead_letters.registry)
            resumption = ReleaseResumption(releases, follower)
            resumption.start()
            ending.callback(resumption.stop)
            undo = Undo(settings, history, follower)
            intake = Ingest(settings, publisher, history)
            instrument(publisher, metrics.registry)
            uploads = Uploads(settings, lambda: known_here(settings, history, follower))
            ending.callback(uploads.close)
            known = KnownMessages(history)
            checkups = Checkups(lambda: self._examine(self._settings))
            opt_outs = OptOuts(self._urls, names, contacts.book)
            reports = ReportsService(
                settings,
                self._urls,
                history,
                follower,
                targets=self._callback_targets,
                publisher=publisher,
                opt_outs=opt_outs,
                book=contacts.book,
                observer=metrics,
            )
            reports.start()
            ending.callback(reports.stop)
            yield Services(
                settings,
                history,
                follower,
                observer,
                publisher,
                intake,
                dead_letters,
                undo,
                broadcast,
                audit,
                metrics,
                checkups,
                known,
                uploads,
                releases,
                contacts,
                opt_outs,
                reports,
            )


class _Server(uvicorn.Server):
    """Ends the endless answers first, or the server would wait for them."""

    def __init__(self, config: uvicorn.Config, broadcast: Broadcast) -> None:
        super().__init__(config)
        self._broadcast = broadcast

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._broadcast.close()
        super().handle_exit(sig, frame)
        # The server would raise the signal again when it has ended, and hide that it ended as it was told.
        self._captured_signals.clear()


def _uvicorn_options(settings: Settings) -> dict[str, Any]:
    proxies = settings.admin_trusted_proxies
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "timeout_graceful_shutdown": _GRACE,
        "timeout_keep_alive": 30,
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": ",".join((*proxies, *map(_mapped, proxies))),
    }


def _mapped(network: str) -> str:
    """An IPv4 network as a socket that listens on `::` names its members; others as they are."""
    address, _, bits = network.partition("/")
    return network if ":" in network else f"::ffff:{address}/{int(bits) + 96}"


@contextmanager
def _listening_socket(settings: Settings) -> Iterator[socket.socket]:
    """The socket before anything else is started: a busy port is said at once."""
    family = socket.AF_INET6 if ":" in settings.admin_host else socket.AF_INET
    # With the protocol named, the event loop switches Nagle's algorithm off: it would hold every answer back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.admin_host, settings.admin_port))
            listener.listen(512)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise PortBusy(
                f"{settings.admin_host}:{settings.admin_port} cannot be used ({why}): "
                "stop the program that uses it, or choose another with ADMIN_PORT",
            ) from error
        yield listener
