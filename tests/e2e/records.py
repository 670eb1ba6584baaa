"""What the broker has on record: events, dead letters, and how much waits where."""

from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import OFFSET
from antrian.broker.stream.lookup import last_entry
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerUnreachable
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from waiting import wait_until

#: Seconds until a stream that says nothing is empty.
_SILENCE = 10


class Records:
    """Reads one namespace; every look opens a connection of its own, so it survives the broker's restarts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.names = Names(settings.whatsapp_queue_namespace)

    def events(self, name: str = "", stream: str | None = None) -> list[Event]:
        """Every event of a stream (the outcomes) so far, or those of one name; none while the broker is starting."""
        try:
            found = self._all_events(stream or self.names.outcomes)
        except BrokerUnreachable:
            return []
        return [event for event in found if not name or event.name == name]

    def _all_events(self, stream: str) -> list[Event]:
        with open_channel(self._settings.amqp_urls, name="test records") as channel:
            return [event for body in self._entries(channel, stream) if (event := Event.decode(body))]

    def wait_for_event(self, name: str, timeout: float = 10, count: int = 1) -> list[Event]:
        return wait_until(
            lambda: found if len(found := self.events(name)) >= count else [],
            timeout,
            f"{count} times {name} is recorded",
        )

    def waiting(self, queue: str) -> int:
        """Messages ready in a queue."""
        with open_channel(self._settings.amqp_urls, name="test records") as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def dead_letters(self) -> list[tuple[Any, bytes]]:
        """Properties and body of each dead letter; they stay where they are."""
        with open_channel(self._settings.amqp_urls, name="test records") as channel:
            letters = []
            while (got := channel.basic_get(self.names.dead))[0] is not None:
                letters.append((got[1], got[2] or b""))
            return letters

    def waiting_properties(self, lane: str) -> list[Any]:
        """Properties of each message that waits in a lane; they stay where they are."""
        with open_channel(self._settings.amqp_urls, name="test records") as channel:
            found = []
            while (got := channel.basic_get(self.names.lane(lane)))[0] is not None:
                found.append(got[1])
            return found

    def wait_for_dead_letters(self, count: int, timeout: float = 15) -> list[tuple[Any, bytes]]:
        wait_until(lambda: self.waiting(self.names.dead) >= count, timeout, f"{count} dead letters")
        return self.dead_letters()

    def _entries(self, channel: BlockingChannel, stream: str) -> list[bytes]:
        """Everything up to the stream's end, and not up to a silence: a busy machine is silent, too."""
        last = last_entry(channel, stream, _SILENCE)
        bodies: list[bytes] = []
        reached = [-1]

        def take(_channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> None:
            bodies.append(body)
            reached.append(int(properties.headers[OFFSET]))
            channel.basic_ack(method.delivery_tag)

        def is_read() -> bool:
            channel.connection.process_data_events(0.05)
            return last is None or reached[-1] >= last.offset

        channel.basic_qos(prefetch_count=500)
        channel.basic_consume(stream, take, arguments={OFFSET: "first"})
        wait_until(is_read, 60, f"{stream} is read to its end", every=0)
        return bodies
