"""What comes to the sandbox over HTTP and what it answers, without a socket."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """A request, as a dialect reads it.

    Args:
        method: of HTTP.
        path: below the dialect's own address, beginning with a slash, without the query.
        query: its pairs; of several with one name the last.
        headers: by lower-case name.
        body: the bytes; None where they could not be read, because there were too many or their framing was wrong.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""

    @property
    def fields(self) -> Any:
        """The body decoded as JSON, or as a form if it says so; None where it is neither."""
        return None if self.body is None else decode_fields(self.body, self.header("content-type"))

    @property
    def json(self) -> Any:
        """The body decoded as JSON, whatever it says it is, as with a plain `curl -d`; None where it is none."""
        return None if self.body is None else decode_fields(self.body, "")

    @property
    def form(self) -> dict[str, str]:
        """The body decoded as a form; empty where it is none."""
        is_form = self.header("content-type").startswith("application/x-www-form-urlencoded")
        return self.fields or {} if is_form else {}

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return self.headers.get(name, "")

    @property
    def basic(self) -> tuple[str, str]:
        """User and password of HTTP's basic authentication; both empty where there are none."""
        scheme, _, encoded = self.header("authorization").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        return user, password

    @property
    def bearer(self) -> str:
        """The bearer token; empty where there is none."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sandbox answers.

    Args:
        status: the HTTP status.
        body: text as it is, anything else as JSON; None is a proxy's page that has no body of the provider.
        headers: on top of the usual ones.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if self.body is None:
            return b"<h1>Service Unavailable</h1>"
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    @property
    def content_type(self) -> str:
        """Of the body."""
        if self.body is None:
            return "text/html"
        return "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json"


#: As a proxy answers while the provider behind it is gone.
DOWN = Reply(503)


def decode_fields(body: bytes, content_type: str) -> Any:
    """Decode a body as JSON, or as a form if it says so; None if it is neither."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(body.decode()))
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def text_of(value: object) -> str:
    """A field as text: callers in other languages write numbers without quotes; a bool would be one too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
