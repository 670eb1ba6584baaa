"""Reading a request's body piece by piece: never more than the limit, never for longer than the client may take."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum, auto
from typing import Any

#: Bytes of a body.
LARGEST_BODY = 512 * 1024
#: Seconds that a client may take for its body.
PATIENCE = 5.0
#: In a request's scope where its body came together with its headers.
WHOLE_BODY = "antrian.whole_body"
#: Bytes of a too large body that are still read, so that the client reads our answer instead of a reset.
_READ_AWAY = 16 * LARGEST_BODY

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyFault(Enum):
    """Why there is no body."""

    TOO_LARGE = auto()
    TOO_SLOW = auto()
    #: Nobody reads an answer any more.
    CLIENT_LEFT = auto()


async def read_body(
    receive: Receive, stated: str, *, largest: int, patience: float, is_whole: bool = False
) -> bytes | BodyFault:
    """The whole body, or why there is none.

    Args:
        receive: gives its pieces.
        stated: the `Content-Length` header; empty where there is none.
        largest: bytes that it may have.
        patience: seconds that it may take.
        is_whole: whether it has come already.
    """
    if is_whole:
        return await _gather(receive, largest)
    try:
        async with asyncio.timeout(patience):
            if stated.isdecimal() and int(stated[:20]) > largest:
                return await _read_away(receive)
            return await _gather(receive, largest)
    except TimeoutError:
        return BodyFault.TOO_SLOW


async def _gather(receive: Receive, largest: int) -> bytes | BodyFault:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return BodyFault.CLIENT_LEFT
        piece = message.get("body", b"")
        size += len(piece)
        if size > largest:
            return await _read_away(receive) if message.get("more_body") else BodyFault.TOO_LARGE
        pieces.append(piece)
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _read_away(receive: Receive) -> BodyFault:
    left = _READ_AWAY
    while left > 0:
        message = await receive()
        if message["type"] != "http.request":
            return BodyFault.CLIENT_LEFT
        left -= len(message.get("body", b"")) + 1
        if not message.get("more_body"):
            break
    return BodyFault.TOO_LARGE
