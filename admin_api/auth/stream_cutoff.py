"""Event streams, which last for hours, end when their client loses its access."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Message, Send

_EVENTS = "text/event-stream"


class StreamCutoff:
    """Passes an answer on, and ends a stream of events once its reader's token or session is over.

    Args:
        send: where the answer goes.
        is_welcome: asked before each piece of a stream.
    """

    def __init__(self, send: Send, is_welcome: Callable[[], bool]) -> None:
        self._send = send
        self._is_welcome = is_welcome
        self._is_stream = False
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        """Pass on one message."""
        if self._is_over:
            # The app notices that its client is gone; until then what it sends is dropped.
            return
        if message["type"] == "http.response.start":
            self._is_stream = Headers(raw=message["headers"]).get("content-type", "").startswith(_EVENTS)
        elif self._is_stream and message.get("more_body") and not self._is_welcome():
            self._is_over = True
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
