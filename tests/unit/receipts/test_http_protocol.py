"""The limits of a connection, over uvicorn as it is installed: what is overridden must still be what it calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from antrian.receipts.http_protocol import BoundedProtocol, bounded_protocol

_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """The other end of a connection that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"sockname": ("127.0.0.1", 8090), "peername": ("192.0.2.1", 1)}.get(name, default)

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _never(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send
    await asyncio.Event().wait()


Connect = Callable[[], tuple[BoundedProtocol, Wire]]


def connections(app: Any, work: Callable[[Connect], Awaitable[None]], **limits: Any) -> None:
    """Do something with connections to an application."""
    kind = bounded_protocol(**limits)
    config = uvicorn.Config(
        app, http=kind, ws="none", lifespan="off", access_log=False, log_config=None, h11_max_incomplete_event_size=2000
    )
    config.load()
    state = ServerState()

    def connect() -> tuple[BoundedProtocol, Wire]:
        protocol, wire = kind(config=config, server_state=state, app_state={}), Wire()
        protocol.connection_made(wire)
        return protocol, wire

    async def run() -> None:
        await work(connect)
        for task in list(state.tasks):
            task.cancel()
        if kind.idle._timer:
            kind.idle._timer.cancel()
        for one in list(state.connections):
            one._unset_keepalive_if_required()

    asyncio.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.005)


def test_who_does_not_come_to_the_point_is_cut_off():
    async def work(connect: Connect) -> None:
        silent, slow = connect(), connect()
        slow[0].data_received(b"GET / HTTP/1.1\r\nX-Slow: ")
        answered = connect()
        answered[0].data_received(_REQUEST)
        await _until(lambda: answered[1].written.startswith(b"HTTP/1.1 200"))
        answered[0].data_received(b"GET / HT")
        await _until(lambda: silent[1].closed and slow[1].closed and answered[1].closed)
        assert not slow[1].written

    connections(_answer, work, header_seconds=0.05, sweep=0.01)


def test_a_request_that_has_begun_is_left_to_the_application():
    async def work(connect: Connect) -> None:
        asking, silent = connect(), connect()
        asking[0].data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        await _until(lambda: silent[1].closed)
        assert not asking[1].closed

    connections(_never, work, header_seconds=0.05, sweep=0.01)


def test_with_too_many_connections_the_one_that_has_waited_longest_makes_room():
    async def work(connect: Connect) -> None:
        busy = connect()
        busy[0].data_received(_REQUEST)
        idle, another, latest = connect(), connect(), connect()
        assert [one[1].closed for one in (busy, idle, another, latest)] == [False, True, False, False]

    connections(_never, work, most_connections=3)


def test_headers_have_a_limit():
    async def work(connect: Connect) -> None:
        protocol, wire = connect()
        protocol.data_received(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 3_000)
        assert wire.written.startswith(b"HTTP/1.1 400 ")
        assert wire.closed

    connections(_answer, work)


@settings(max_examples=100)
@given(
    st.lists(
        st.binary(min_size=1, max_size=60)
        | st.sampled_from([_REQUEST, b"\r\n", b"POST ", b" HTTP/1.1\r\n", b"Content-Length: 5"]),
        max_size=6,
    )
)
def test_bytes_that_are_no_request_are_no_error_of_ours(pieces):
    async def work(connect: Connect) -> None:
        protocol, wire = connect()
        for piece in pieces:
            if not wire.closed:
                protocol.data_received(piece)
            await asyncio.sleep(0)
        assert b"HTTP/1.1 5" not in wire.written

    connections(_answer, work)


def test_bytes_that_are_no_request_leave_no_line_in_the_log(caplog):
    async def work(connect: Connect) -> None:
        protocol, wire = connect()
        protocol.data_received(b"\x16\x03\x01\x02\x00 no request\r\n\r\n")
        await asyncio.sleep(0)
        assert wire.closed

    connections(_answer, work)
    assert not caplog.records
