"""Counts every answered request by its route's pattern, so that no id from an address becomes a label."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.metrics import Metrics

#: What is counted together: whatever never reached a route.
_NOWHERE = "none"


class RequestCounts:
    """ASGI middleware; the outermost, so that refused requests are counted too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", _NOWHERE)
                self._metrics.observe_request(scope["method"], route, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counting)
