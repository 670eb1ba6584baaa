"""`antrian receipts` as a process: everything is built here, served until a signal, and ended in order."""

import asyncio
import gc
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog
import uvicorn

from antrian.broker.connection import broker_urls, connection_parameters
from antrian.broker.topology import Names
from antrian.domain.errors import PortBusy, SettingsError
from antrian.domain.lane import Lanes
from antrian.domain.settings import Settings
from antrian.providers.receipt_readers import READERS
from antrian.providers.webhook import WebhookReader
from antrian.receipts.app import ClientLimits, ReceiptsApp, Scope, Send
from antrian.receipts.event_writer import EventWriter
from antrian.receipts.failures import networks
from antrian.receipts.http_protocol import LARGEST_HEADERS, bounded_protocol
from antrian.receipts.lanes_watch import LanesWatch
from antrian.receipts.metrics import ReceiptMetrics
from antrian.receipts.request_body import Receive
from antrian.receipts.webhooks import SIGN_THEIR_ADDRESS, Webhooks, why_not

#: A request leaves nothing behind that refers to itself, so there is little to find.
_GC_THRESHOLDS = (20_000, 20, 20)

#: Seconds that open requests may still take when the process is to end.
_GRACE = 8

_log = structlog.get_logger()


class ReceiptsProcess:
    """The server for providers' webhooks.

    Args:
        settings: of the process.
        readers: how each provider's webhooks are read.

    Raises:
        SettingsError: these lanes cannot be served.
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(self, settings: Settings, readers: Mapping[str, WebhookReader] = READERS) -> None:
        self._settings = settings
        self._readers = readers
        check_lanes(settings.lanes, readers)
        self._names = Names(settings.whatsapp_queue_namespace)
        parameters = connection_parameters(
            broker_urls(settings), name="antrian receipts", heartbeat=settings.whatsapp_queue_heartbeat
        )
        self._writer = EventWriter(parameters, self._names)
        self._metrics = ReceiptMetrics()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            PortBusy: an address cannot be listened on.
        """
        settings = self._settings
        with ExitStack() as ending:
            public = ending.enter_context(_listening(settings.receipts_host, settings.receipts_port, "RECEIPTS_PORT"))
            listeners = [public]
            if port := settings.receipts_metrics_port:
                own = _listening(settings.receipts_metrics_host, port, "RECEIPTS_METRICS_PORT")
                listeners.append(ending.enter_context(own))
            app = self._app(public)
            self._serve_lanes(app, settings.lanes)
            self._metrics.in_flight.set_function(lambda: app.in_flight)
            server = _Server(uvicorn.Config(_Front(app, self._metrics, port), **uvicorn_options()))
            watch = LanesWatch(settings, lambda lanes: self._change_lanes(server, app, lanes))
            for thread in (self._writer, watch):
                thread.start()
                ending.callback(thread.stop)
            # What is loaded stays: the collector need not look at it again and again.
            gc.freeze()
            gc.set_threshold(*_GC_THRESHOLDS)
            host, at = public.getsockname()[:2]
            _log.info("receipts.ready", address=f"http://{host}:{at}", lanes=list(app.webhooks.by_lane))
            server.run(sockets=listeners)
        _log.info("receipts.left")

    def _app(self, public: socket.socket) -> ReceiptsApp:
        settings = self._settings
        limits = ClientLimits(settings.receipts_confirm_seconds, proxies=networks(settings.receipts_trusted_proxies))
        base = public_base(settings, port=public.getsockname()[1])
        return ReceiptsApp(Webhooks({}, {}), self._writer, self._names, self._metrics, base, limits)

    def _change_lanes(self, server: "_Server", app: ReceiptsApp, lanes: Lanes) -> None:
        """Serve other lanes; called in the watch's thread.

        Raises:
            SettingsError: they cannot be served.
        """
        check_lanes(lanes, self._readers)
        if server.loop is not None:
            server.loop.call_soon_threadsafe(self._serve_lanes, app, lanes)

    def _serve_lanes(self, app: ReceiptsApp, lanes: Lanes) -> None:
        webhooks = Webhooks(lanes, self._readers)
        self._metrics.serve_lanes({name: one.lane.provider for name, one in webhooks.by_lane.items()})
        app.webhooks = webhooks
        if self._settings.receipts_public_url is None:
            for name, one in webhooks.by_lane.items():
                if one.lane.provider in SIGN_THEIR_ADDRESS:
                    _log.warning("receipts.public-url-missing", lane=name, do="set RECEIPTS_PUBLIC_URL")


def check_lanes(lanes: Lanes, readers: Mapping[str, WebhookReader]) -> None:
    """See that the server can serve these lanes.

    Raises:
        SettingsError: it cannot; names every reason.
    """
    if faults := why_not(lanes, readers):
        one = len(faults) == 1
        raise SettingsError(faults[0] if one else "\n  ".join(["webhooks cannot be served:", *faults]))


def public_base(settings: Settings, *, port: int | None = None) -> str:
    """What every webhook's address begins with, as providers call it."""
    host = f"[{settings.receipts_host}]" if ":" in settings.receipts_host else settings.receipts_host
    return settings.receipts_public_url or f"http://{host}:{port or settings.receipts_port}"


@dataclass(frozen=True, slots=True)
class _Front:
    """Sends each request on: metrics have a port of their own, which no proxy leads to.

    Attributes:
        app: for what comes from outside.
        metrics: for Prometheus.
        own_port: where it asks; 0 where it does not.
    """

    app: ReceiptsApp
    metrics: ReceiptMetrics
    own_port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["server"][1] != self.own_port:
            await self.app(scope, receive, send)
            return
        status, content_type, body = self._answer(scope["path"])
        headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> tuple[int, bytes, bytes]:
        text = b"text/plain; charset=utf-8"
        trouble = self.app.writer.trouble
        match path:
            case "/metrics":
                body, content_type = self.metrics.render(is_up=not trouble)
                return 200, content_type, body
            case "/healthz":
                return 200, text, b"ok\n"
            case "/readyz":
                return (503, text, f"{trouble}\n".encode()) if trouble else (200, text, b"ok\n")
        return 404, text, b"there is /metrics, /healthz and /readyz\n"


class _Server(uvicorn.Server):
    """Knows its loop, and ends as it is told."""

    loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to end."""
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        super().handle_exit(sig, frame)
        # The server would raise the signal again when it has ended, and hide that it ended as it was told.
        self._captured_signals.clear()


def uvicorn_options() -> dict[str, Any]:
    """How the web server is run."""
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "http": bounded_protocol(),
        "ws": "none",
        "lifespan": "off",
        "loop": "asyncio",
        "proxy_headers": False,
        "h11_max_incomplete_event_size": LARGEST_HEADERS,
        "timeout_keep_alive": 15,
        "timeout_graceful_shutdown": _GRACE,
    }


@contextmanager
def _listening(host: str, port: int, variable: str) -> Iterator[socket.socket]:
    """The socket before anything else is started: a busy port is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, the event loop switches Nagle's algorithm off: it would hold every answer back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(512)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise PortBusy(
                f"{host}:{port} cannot be used ({why}): "
                f"stop the program that uses it, or choose another with {variable}"
            ) from error
        yield listener
