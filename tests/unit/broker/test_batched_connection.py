"""What we do inside pika, on the version of pika that is installed: if one of these fails, moving became slower."""

from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from pika.adapters.select_connection import SelectConnection
from pika.adapters.utils import io_services_utils
from pika.exceptions import InvalidFrameError
from pika.frame import Body, Header, Heartbeat, Method

from antrian.broker.queue_scan.batched_connection import READ_SIZE, BatchedConnection
from antrian.broker.queue_scan.pipelined_gets import PipelinedGets

_PROPERTIES = pika.BasicProperties(message_id="m1", headers={"antrian-attempt": 1})
FRAMES = [
    Method(1, spec.Basic.GetOk(7, False, "wa.dead", "default", 3)),  # noqa: FBT003 (pika's own order)
    Header(1, 5, _PROPERTIES),
    Body(1, b"AMQP!"),
    Heartbeat(),
    Method(2, spec.Basic.Ack(9, True)),  # noqa: FBT003 (pika's own order)
]


class _Received:
    """A connection that is not connected: it keeps what it has read and written."""

    def __init__(self) -> None:
        self._frame_buffer = b""
        self.bytes_received = self.bytes_sent = self.frames_sent = 0
        self.seen: list[str] = []
        self.written: list[bytes] = []

    def _process_frame(self, frame: Any) -> None:
        self.seen.append(repr(frame))
        self._output_marshaled_frames([f"answer {len(self.seen)};".encode()])  # type: ignore[attr-defined]


class Batched(_Received, BatchedConnection):
    def _adapter_emit_data(self, data: bytes) -> None:
        self.written.append(data)


class Pikas(_Received, SelectConnection):
    def _adapter_emit_data(self, data: bytes) -> None:
        self.written.append(data)


@given(cuts=st.lists(st.integers(1, 200), max_size=8))
def test_frames_are_read_as_pika_reads_them_however_they_are_cut(cuts: list[int]) -> None:
    stream = b"".join(frame.marshal() for frame in FRAMES)
    ours, theirs = Batched(), Pikas()
    pieces = [stream[start:end] for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True)]
    for piece in filter(None, pieces):
        ours._proto_data_received(piece)
        theirs._proto_data_received(piece)
    assert ours.seen == theirs.seen
    assert len(ours.seen) == len(FRAMES)
    assert ours.bytes_received == theirs.bytes_received == len(stream)
    assert b"".join(ours.written) == b"".join(theirs.written)


def test_what_one_read_leads_to_is_one_write() -> None:
    connection = Batched()
    connection._proto_data_received(b"".join(frame.marshal() for frame in FRAMES))
    assert connection.written == [b"answer 1;answer 2;answer 3;answer 4;answer 5;"]


def test_what_is_no_frame_ends_the_connection_as_in_pika() -> None:
    whole = FRAMES[2].marshal()
    with pytest.raises(InvalidFrameError):
        Batched()._proto_data_received(whole[:-1] + b"\0")


def test_pika_reads_as_much_at_a_time_as_we_say(monkeypatch: pytest.MonkeyPatch) -> None:
    class Transport(io_services_utils._AsyncPlaintextTransport):
        def __init__(self) -> None:
            pass

    assert Transport._MAX_RECV_BYTES < READ_SIZE
    monkeypatch.setattr(SelectConnection, "_on_stream_connected", lambda _self: None)
    transport: Any = Transport()
    Batched()._proto_connection_made(transport)
    assert transport._MAX_RECV_BYTES == READ_SIZE


def test_a_request_is_the_one_that_pika_writes() -> None:
    class Channel:
        channel_number = 3

        def __init__(self) -> None:
            self.connection = Batched()

        def add_callback(self, *_arguments: Any, **_options: Any) -> None:
            pass

    channel: Any = Channel()
    PipelinedGets(channel, lambda *_: None, lambda: None).ask("wa.dead")
    assert channel.connection.written == [Method(3, spec.Basic.Get(queue="wa.dead")).marshal()]
