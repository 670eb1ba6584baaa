"""Messages and dead letters in the queues of one test, and a look at what is there afterwards."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from declaration import declare
from factories import PHONE

from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import OFFSET
from antrian.broker.stream.lookup import last_entry
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import ring
from antrian.domain.delay_ladder import LADDER_LEVELS, ladder_key
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.headers import mark_held
from antrian.domain.message import AttemptFailure, Message, decode, encode, new_message, retry_of
from antrian.domain.settings import Settings
from waiting import wait_until

#: Seconds until a stream that says nothing is empty, and until a queue that says nothing more is broken.
_SILENCE, _PATIENCE = 10, 60


class Stock:
    """The queues of one namespace, with the topology applied.

    Args:
        settings: of the namespace.
        is_declared: whether they are there already.
    """

    def __init__(self, settings: Settings, *, is_declared: bool = False) -> None:
        self.settings = settings
        self.names = Names(settings.whatsapp_queue_namespace)
        if not is_declared:
            declare(settings)

    def add_waiting(self, *ids: str, lane: str = "default", **about: Any) -> None:
        self._publish(self.names.messages, lane, (message(one, lane=lane, **about) for one in ids))

    def publish(self, *messages: Message) -> None:
        for one in messages:
            self._publish(self.names.messages, one.lane, [one])

    def add_delayed(self, *ids: str, seconds: float = 3600, lane: str = "default", **about: Any) -> None:
        key = ladder_key(seconds, lane)
        self._publish(self.names.scheduled, key, (message(one, lane=lane, **about) for one in ids))

    def add_held(
        self, *ids: str, reason: str = "cold_cap", seconds: float = 3600, lane: str = "default", **about: Any
    ) -> None:
        """Messages that a rule of their lane put on the delay ladder, as the consumer leaves them."""
        key, entrance = ladder_key(seconds, lane), self.names.ladder_entrance(seconds)
        with self._channel() as channel:
            for one in ids:
                body, properties = encode(message(one, lane=lane, **about))
                properties.headers = mark_held(properties.headers, reason)
                ring(properties, lane, later=True)
                channel.basic_publish(entrance, key, body, properties, mandatory=True)

    def add_dead(
        self,
        *ids: str,
        code: str = "timeout",
        failure_class: str = "transient",
        lane: str = "default",
        source: str = "test",
        priority: int = 5,
    ) -> None:
        """Dead letters as the consumer leaves them after three attempts."""
        failure = AttemptFailure(3, time.time(), failure_class, code, "the provider's words")
        made = (message(one, lane=lane, source=source, priority=priority) for one in ids)
        self._publish(self.names.dead, lane, (retry_of(one, failure, attempt=3) for one in made))

    def add_garbage(self, exchange: str, key: str = "default", body: bytes = b"{oops") -> None:
        with self._channel() as channel:
            channel.basic_publish(exchange, key, body, mandatory=True)

    def tell(self, name: str, message_id: str, *, generation: int = 0, attempt: int = 1, **details: Any) -> None:
        """An event of the lane's consumer, into the journal; `at` for another time than now."""
        at = details.pop("at", time.time())
        source = details.pop("source", "8b0f6c55-6a0e-4a52-9b56-0d7f6a2f1f0e")
        event = Event(name, at, "default", message_id, generation, attempt, source, details)
        with self._channel() as channel:
            channel.confirm_delivery()
            channel.basic_publish(self.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)

    def pour(self, *message_ids: str, patience: float = 20) -> None:
        """More waiting messages, without confirms, so that many entries share a chunk of the journal."""
        lane = self.names.lane("default")
        whole = self.count(lane) + len(message_ids)
        with self._channel() as channel, channel.connection.channel() as fast:
            for message_id in message_ids:
                body, properties = encode(message(message_id))
                fast.basic_publish(self.names.messages, "default", body, properties)
        wait_until(lambda: self.count(lane) == whole, patience, "all are published")
        # What is in the lane may take a moment longer to be in the journal.
        wait_until(lambda: self._last_id() == message_ids[-1], patience, "all are in the journal")

    def count(self, queue: str) -> int:
        """Messages ready in a queue."""
        with self._channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    @contextmanager
    def counting(self, queue: str) -> Iterator[Callable[[], int]]:
        """A function that is `count` of a queue, for those who ask as often as they can: on one connection."""
        with self._channel() as channel:
            yield lambda: int(channel.queue_declare(queue, passive=True).method.message_count)

    def wait_for(self, queue: str, count: int) -> None:
        wait_until(lambda: self.count(queue) == count, 10, f"{queue} holds {count}")

    def in_lane(self, lane: str = "default") -> list[Message]:
        """What waits in the lane, in the order in which it would be sent; it stays there."""
        return self._messages(self.names.lane(lane), lane)

    def dead(self) -> list[Message]:
        """The dead letters that can be read, in their order; they stay there."""
        return self._messages(self.names.dead, "default")

    def delayed(self) -> int:
        return sum(self.count(self.names.delay(level)) for level in range(LADDER_LEVELS))

    def on_ladder(self) -> list[str]:
        """The ids of all copies that wait on the delay ladder, of whichever lane; they stay there."""
        found: list[str] = []
        with self._channel() as channel:
            for level in range(LADDER_LEVELS):
                while (got := channel.basic_get(self.names.delay(level)))[0] is not None:
                    found.append(str(got[1].message_id))
        return found

    def make_lane_quorum(self) -> Settings:
        """Make the lane's queue one that cannot be looked through; the settings that go with it.

        A server that is too old for the arguments of our quorum lanes has such queues, too.
        """
        lane = self.names.lane("default")
        with self._channel() as channel:
            channel.queue_delete(lane)
            arguments = {"x-queue-type": "quorum", "x-single-active-consumer": True}
            channel.queue_declare(lane, durable=True, arguments=arguments)
            channel.queue_bind(lane, lane, "")
        return self.settings.model_copy(update={"whatsapp_queue_type": "quorum"})

    def events(self, name: str) -> list[Event]:
        """Every event of that name in the journal."""
        found = (Event.decode(body) for _, body in self.entries(self.names.journal))
        return [event for event in found if event and event.name == name]

    def journal_ids(self) -> set[str]:
        """The ids of all copies of messages in the journal."""
        found = (properties.message_id for properties, _ in self.entries(self.names.journal))
        return {str(one) for one in found if one}

    def entries(self, stream: str) -> list[tuple[pika.BasicProperties, bytes]]:
        """Everything that a stream holds now, up to its end and not up to a silence: a busy machine is silent, too."""
        found: list[tuple[pika.BasicProperties, bytes]] = []
        with self._channel() as channel:
            if (last := last_entry(channel, stream, _SILENCE)) is None:
                return found
            reading = channel.connection.channel()
            reading.basic_qos(prefetch_count=500)
            deliveries = reading.consume(stream, inactivity_timeout=_PATIENCE, arguments={OFFSET: "first"})
            for method, properties, body in deliveries:
                assert method is not None, f"{stream} goes no further"
                reading.basic_ack(method.delivery_tag)
                found.append((properties, body))
                if (properties.headers or {}).get(OFFSET, -1) >= last.offset:
                    break
        # Not cancelled: the library would reject what is on its way, and a stream ends the connection for that.
        return found

    def _last_id(self) -> str | None:
        with self._channel() as channel:
            last = last_entry(channel, self.names.journal, _SILENCE)
        return last.properties.message_id if last else None

    def _messages(self, queue: str, lane: str) -> list[Message]:
        # By a consumer: quorum queues with a single active consumer refuse to be looked through otherwise.
        found: list[Message] = []
        count = self.count(queue)
        with self._channel() as channel:
            deliveries = channel.consume(queue, inactivity_timeout=_PATIENCE) if count else ()
            for method, properties, body in deliveries:
                assert method is not None, f"{queue} delivers nothing more"
                found.append(decode(body, properties, lane, now=time.time()))
                if len(found) == count:
                    break
        return found

    def _publish(self, exchange: str, key: str, messages: Iterable[Message]) -> None:
        with self._channel() as channel:
            for one in messages:
                body, properties = encode(one)
                channel.basic_publish(exchange, key, body, properties, mandatory=True)

    def _channel(self) -> Any:
        return open_channel(self.settings.amqp_urls, name="test stock")


def message(message_id: str, *, source: str = "test", phone_number: str = PHONE, **about: Any) -> Message:
    return new_message(
        phone_number, f"text {message_id}", source=source, now=time.time(), message_id=message_id, **about
    )


def ids(messages: Iterable[Message]) -> list[str]:
    return [one.message_id for one in messages]
