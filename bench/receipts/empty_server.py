"""The same web server with the same options as `antrian receipts`, and an application that does nothing."""

import socket
import sys
from typing import Any

import uvicorn

from antrian.receipts.process import uvicorn_options


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, and answer."""
    del scope
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(512)
    print("empty.ready", flush=True)
    uvicorn.Server(uvicorn.Config(application, **uvicorn_options())).run(sockets=[listener])
