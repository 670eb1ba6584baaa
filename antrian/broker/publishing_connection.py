"""pika's connection for programs that publish much: cheaper frames, fewer and larger writes, a short way for confirms.

What is replaced here is inside pika. A hook that a later pika no longer calls only makes publishing slower again, and
`tests/unit/broker/test_publishing_connection.py` says so.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pika
from pika import spec
from pika.adapters.select_connection import SelectConnection
from pika.frame import Method

from antrian.broker.publish_frames import publish_frames

_CONFIRMS = frozenset({spec.Basic.Ack, spec.Basic.Nack})
#: Every AMQP client and server takes frames of so many bytes, seven in front and one at the end included.
_SMALLEST_FRAGMENT = spec.FRAME_MIN_SIZE - spec.FRAME_HEADER_SIZE - spec.FRAME_END_SIZE


class PublishingConnection(SelectConnection):
    """A connection that writes at once what can be written at once; use it like pika's own, from one thread."""

    _gathered: list[bytes] | None = None
    _on_confirm: Mapping[int, Callable[[Method[Any]], None]] = MappingProxyType({})

    def publish(
        self,
        channel: int,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        *,
        mandatory: bool,
    ) -> None:
        """Publish on an open channel, as `basic_publish` does.

        Raises:
            ShortStringTooLong: a name or property has more than 255 bytes.
        """
        longest = getattr(self, "_body_max_length", _SMALLEST_FRAGMENT)
        self._output_marshaled_frames(
            (
                publish_frames(
                    channel, exchange, routing_key, body, properties, mandatory=mandatory, longest_fragment=longest
                ),
            )
        )

    @contextmanager
    def one_write(self) -> Iterator[None]:
        """Whatever is published within goes to the socket together, at the end."""
        if self._gathered is not None:
            yield
            return
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            if gathered:
                self._adapter_emit_data(b"".join(gathered))

    def on_confirm(self, channel: int, callback: Callable[[Method[Any]], None] | None) -> None:
        """Have the confirms of a channel told to `callback` alone; None for pika's own way again."""
        others = {number: taker for number, taker in self._on_confirm.items() if number != channel}
        self._on_confirm = others if callback is None else {**others, channel: callback}

    def expect_little(self) -> None:
        """Do not ask the socket for more right after something came: all that comes here are confirms.

        On an encrypted connection nothing changes: there the library may hold bytes that the socket no longer has.
        """
        transport: Any = self._transport
        if not isinstance(getattr(transport, "_sock", None), ssl.SSLSocket):
            transport._MAX_CONSUME_BYTES = 1  # noqa: SLF001 (checked after each read; the loop comes back for the rest)

    def _process_frame(self, frame_value: Any) -> None:
        # pika looks for callbacks in four dictionaries and two lists, whose keys it makes for each frame.
        if type(getattr(frame_value, "method", None)) in _CONFIRMS:
            callback = self._on_confirm.get(frame_value.channel_number)
            if callback is not None:
                self.frames_received += 1
                callback(frame_value)
                return
        super()._process_frame(frame_value)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        # Three system calls for each message were a tenth of a publisher's work.
        written = marshaled_frames[0] if len(marshaled_frames) == 1 else b"".join(marshaled_frames)
        if self._gathered is None:
            super()._output_marshaled_frames((written,))
        else:
            self.bytes_sent += len(written)
            self.frames_sent += 1
            self._gathered.append(written)

    def _adapter_emit_data(self, data: bytes) -> None:
        """Write without waiting for the loop to say that the socket is writable: it nearly always is.

        What is left goes pika's way, and so does everything on an encrypted connection, where a write that was begun
        must be finished in the same form, and whatever the socket complains of: pika meets it again by itself.
        """
        transport: Any = self._transport
        sock = getattr(transport, "_sock", None)
        if sock is not None and not isinstance(sock, ssl.SSLSocket) and not transport.get_write_buffer_size():
            try:
                sent = sock.send(data)
            except OSError:
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        super()._adapter_emit_data(data)
