"""No request may be larger than what anybody has reason to send.

The framework's own limit lets a handler run before it looks at an announced length, and answers in plain text.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.auth.urls import is_upload
from admin_api.problems import Problem, answer

#: Bytes.
LARGEST_BODY = 1024 * 1024

#: Bytes of a file that is uploaded; it goes to the disk as it comes.
LARGEST_FILE = 20 * 1000 * 1000


class BodyLimit:
    """ASGI middleware that answers 413, whether the length was announced or the body only never ends."""

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = LARGEST_FILE if is_upload(scope["path"]) else self._largest
        too_large = answer(Problem(413, detail=f"the body may have at most {largest} bytes", code="too-large"))
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced[:20]) > largest:
            await too_large(scope, receive, send)
            return
        measured = _Measured(receive, send, largest)
        await self._app(scope, measured.receive, measured.send)
        if measured.is_too_large and not measured.has_begun:
            await too_large(scope, receive, send)


class _Measured:
    """Counts what comes in; once it is too much, the app sees its client leave and says nothing more."""

    def __init__(self, receive: Receive, send: Send, largest: int) -> None:
        self._receive = receive
        self._send = send
        self._left = largest
        self.has_begun = False

    @property
    def is_too_large(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        """The next piece of the body."""
        if self.is_too_large:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_too_large else message

    async def send(self, message: Message) -> None:
        """Pass on an answer, unless it is about half a body."""
        if self.is_too_large and not self.has_begun:
            return
        self.has_begun = True
        await self._send(message)
