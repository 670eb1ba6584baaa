"""`Publisher`: what a registration or payment service uses to put messages into the queue."""

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from antrian.broker.connection import broker_urls, connection_parameters
from antrian.broker.topology import Names
from antrian.broker.tracing import Publishing, begin_publish
from antrian.broker.urgent_bell import ring
from antrian.domain.click_to_start import click_to_start_link, link_to_lane
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.errors import MalformedMessage, UnknownLane
from antrian.domain.message import Message, encode
from antrian.domain.settings import Settings, load_settings
from publisher.errors import BrokerUnavailable, ConfirmTimeout, InvalidMessage, PublisherError, Unroutable
from publisher.instrumentation import Instrumentation, NoInstrumentation
from publisher.outcome import Outcome, OutcomeWatch
from publisher.pipeline import WINDOW, PendingPublication, Pipeline, Result
from publisher.request import MessageRequest, compose, compose_pair, delay_until

#: Seconds to wait for the broker's confirm, unless the caller says otherwise.
CONFIRM_TIMEOUT = 10.0

_T = TypeVar("_T")
_Item = MessageRequest | Mapping[str, Any] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The broker has the message on disk.

    Attributes:
        message_id: the message's name in history, status and re-drives.
        lane: the lane it waits in.
        queued_at: unix seconds, by the publisher's clock.
    """

    message_id: str
    lane: str
    queued_at: float


class Publisher:
    """Publishes messages; one per process, used from any number of threads.

    It connects in the background and reconnects by itself. After a fork the child gets a connection of its own at
    its first publish, so a pre-forking server such as gunicorn may create the publisher before it forks.

    Args:
        settings: read from the environment when None.
        source: the publishing service's name, shown in the history.
        confirm_timeout: seconds to wait for the broker before a publish fails.

    Raises:
        SettingsError: a variable is wrong.
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        source: str = "python",
        confirm_timeout: float = CONFIRM_TIMEOUT,
    ) -> None:
        self._settings = settings or load_settings()
        self._urls = broker_urls(self._settings)
        # At once, and not at the first publish, so that an address that makes no sense is noticed at start.
        self._parameters = connection_parameters(
            self._urls,
            name=f"antrian publisher {source}",
            heartbeat=self._settings.whatsapp_queue_heartbeat,
        )
        self._names = Names(self._settings.whatsapp_queue_namespace)
        self._source = source
        self._timeout = confirm_timeout
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        #: Told of every publication; see `publisher.metrics.instrument`.
        self.watch: Instrumentation = NoInstrumentation()
        _publishers.add(self)

    def queue_message(self, phone_number: str, message: str, *, timeout: float | None = None, **fields: Any) -> Receipt:
        """Put one message into its lane's queue; returns only when the broker has it on disk.

        Args:
            phone_number: the recipient in any usual spelling (`0812…`, `+62 812-…`).
            message: the text, 1 to 4096 characters.
            timeout: seconds to wait for the broker, instead of the publisher's own.
            fields: any other field of `MessageRequest`: priority, lane, idempotency_key, expires_at, deliver_at, …

        Raises:
            InvalidMessage: the message breaks the contract; nothing was published.
            Unroutable: there is no such lane; nothing was published.
            BrokerUnavailable: nothing was accepted; publish again later.
            ConfirmTimeout: unknown; safe to publish again with the same idempotency_key or message_id.
        """
        item = {"phone_number": phone_number, "message": message, **fields} if fields else (phone_number, message)
        return self._settle(self._launch_or_refuse(item, timeout))

    def queue_messages(
        self,
        requests: Iterable[MessageRequest | Mapping[str, Any] | tuple[str, str]],
        *,
        timeout: float | None = None,
    ) -> Iterator[Receipt | PublisherError]:
        """Put many messages into the queue with pipelined confirms.

        Lazy in both directions: it reads at most 2,000 requests ahead of the results taken.

        Args:
            requests: each a `MessageRequest`, a mapping of its fields, or (phone number, text).
            timeout: seconds to wait for each confirm, instead of the publisher's own.

        Yields:
            In the order of the requests, a receipt, or the error that `queue_message` would have raised.

        Raises:
            Exception: whatever `requests` raises; what was published before has been yielded then.
        """
        underway: deque[_Underway | PublisherError] = deque()
        failures: list[Exception] = []
        for item in _up_to_a_failure(requests, failures):
            underway.append(self._launch_or_refuse(item, timeout))
            while underway and (len(underway) >= WINDOW or _is_settled(underway[0])):
                yield self._outcome(underway.popleft())
        while underway:
            yield self._outcome(underway.popleft())
        for failure in failures:
            raise failure

    def send_message(self, phone_number: str, message: str, *, timeout: float = 60.0, **fields: Any) -> Outcome:
        """Send one urgent message now, ahead of everything, without waiting for the pause, and wait for its outcome.

        Meant for one-time passwords. The full delay follows it.

        Args:
            phone_number: the recipient.
            message: the text.
            timeout: seconds to wait for the outcome.
            fields: any other field of `MessageRequest`.

        Returns:
            What became of it; `pending` when the time was over first (the message is still in the queue).

        Raises:
            PublisherError: as `queue_message`.
        """
        urgent = {"phone_number": phone_number, "message": message, "priority": "urgent"}
        try:
            composed, deliver_at = self._compose({**urgent, **fields})
            deadline = time.monotonic() + timeout
            heartbeat = self._settings.whatsapp_queue_heartbeat
            with OutcomeWatch(self._urls, self._names, composed, heartbeat=heartbeat) as watch:
                self._settle(self._launch(composed, deliver_at, None))
                return watch.wait(deadline)
        except InvalidMessage:
            self.watch.refused()
            raise

    def click_to_start_link(self, text: str, *, lane: str | None = None, sender: str | None = None) -> str:
        """A `https://wa.me/…` link that opens a chat with the sender, the text written already; no broker is asked.

        Show it before the first message: who writes first is no stranger to WhatsApp, and new contacts are what gets a
        number banned.

        Args:
            text: what the user finds written, and may change, 1 to 4096 characters.
            lane: whose sender is written to; needed only where there are several lanes.
            sender: another number to write to, in any usual spelling; the lanes do not matter then.

        Raises:
            InvalidMessage: the text is empty or too long, or there is no number to write to.
            Unroutable: there is no such lane, or there are several and none is named.
        """
        try:
            if sender is not None:
                return click_to_start_link(sender, text)
            return link_to_lane(self._settings.lanes.meant_by(lane), text)
        except UnknownLane as error:
            raise Unroutable(str(error)) from error
        except MalformedMessage as error:
            raise InvalidMessage(error.code, str(error), error.fields) from error

    @property
    def trouble(self) -> str:
        """Why the broker does not answer, in a few words; meaningful only while something waits for it."""
        return self._pipeline.trouble if self._pipeline else "nothing was published yet"

    def close(self, timeout: float = 5.0) -> None:
        """Close the connection; publishing afterwards opens a new one."""
        with self._lock:
            pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _settle(self, underway: "_Underway | PublisherError") -> Receipt:
        answer = self._outcome(underway)
        if isinstance(answer, PublisherError):
            raise answer
        return answer

    def _launch_or_refuse(self, item: _Item, timeout: float | None) -> "_Underway | PublisherError":
        try:
            message, deliver_at = self._compose(item)
            return self._launch(message, deliver_at, timeout)
        except InvalidMessage as error:
            self.watch.refused()
            return error

    def _launch(self, message: Message, deliver_at: datetime | None, timeout: float | None) -> "_Underway":
        exchange, routing_key = self._route(message, deliver_at)
        span = begin_publish(message.trace, exchange=exchange, lane=message.lane, message_id=message.message_id)
        if span.trace is not message.trace:
            message = replace(message, trace=span.trace)
        body, properties = encode(message)
        ring(properties, message.lane, later=exchange == self._names.scheduled)
        pipeline = self._pipeline or self._running_pipeline()
        publication = PendingPublication(exchange, routing_key, body, properties, self.watch.track())
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        receipt = Receipt(message.message_id, message.lane, message.queued_at)
        underway = _Underway(receipt, publication, pipeline, deadline, span)
        # Last: as soon as it wakes, the I/O thread wants the interpreter for itself.
        pipeline.submit(publication)
        return underway

    def _route(self, message: Message, deliver_at: datetime | None) -> tuple[str, str]:
        delay = delay_until(deliver_at, message.queued_at)
        if delay == 0:
            return self._names.messages, message.lane
        return self._names.scheduled, ladder_key(delay, message.lane)

    def _outcome(self, underway: "_Underway | PublisherError") -> Receipt | PublisherError:
        if isinstance(underway, PublisherError):
            return underway
        receipt, publication = underway.receipt, underway.publication
        result = underway.pipeline.wait(publication, underway.deadline)
        if publication.track is not None:
            publication.track.end(result)
        underway.span.end(None if result is Result.ACCEPTED else result.name.lower())
        if result is Result.ACCEPTED:
            return receipt
        trouble = underway.pipeline.trouble
        if result is Result.UNROUTABLE:
            return Unroutable(f"there is no lane {receipt.lane!r} in namespace {self._names.namespace!r}")
        if result is Result.REFUSED:
            return BrokerUnavailable("the message was not accepted: the broker could not store it")
        if result is Result.NOT_ACCEPTED:
            return BrokerUnavailable(f"the message was not accepted: {trouble}")
        return ConfirmTimeout(f"no confirm for message {receipt.message_id}: it may have been accepted ({trouble})")

    def _compose(self, item: _Item) -> tuple[Message, datetime | None]:
        """The message, and when it is to be sent if that is later."""
        now = time.time()
        if type(item) is tuple and len(item) == 2:  # noqa: PLR2004 (a number and a text)
            return compose_pair(*item, self._source, now), None
        wanted = MessageRequest.of(item)
        return compose(wanted, self._source, now), wanted.deliver_at

    def _running_pipeline(self) -> Pipeline:
        with self._lock:
            pipeline = self._pipeline = self._pipeline or Pipeline(
                self._parameters,
                name=f"antrian-publisher-{self._source}",
                entrance=self._names.messages,
                journal=self._names.journal,
            )
        return pipeline

    def _forget_pipeline(self) -> None:
        self._lock = threading.Lock()
        self._pipeline = None


@dataclass(slots=True)
class _Underway:
    """One publication, and what its caller gets for it; not the message itself, which would only take up memory."""

    receipt: Receipt
    publication: PendingPublication
    pipeline: Pipeline
    deadline: float
    span: Publishing


def _up_to_a_failure(items: Iterable[_T], failures: list[Exception]) -> Iterator[_T]:
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 (raised again, when all receipts are out)
        failures.append(error)


def _is_settled(underway: "_Underway | PublisherError") -> bool:
    return isinstance(underway, PublisherError) or underway.publication.result is not None


_publishers: "weakref.WeakSet[Publisher]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    # The I/O thread did not survive the fork, and its socket belongs to the parent.
    for publisher in list(_publishers):
        publisher._forget_pipeline()  # noqa: SLF001 (the class's own module)


os.register_at_fork(after_in_child=_after_fork_in_child)
