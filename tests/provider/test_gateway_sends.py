"""The gateways' adapters over real HTTP: what arrives at a small server, and what its answer becomes."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from antrian.providers.conformance.fault_server import read_request, serving
from antrian.providers.contract import Failed, Outgoing, Provider, Sent
from antrian.providers.fonnte.client import FonnteProvider
from antrian.providers.gowa.client import GowaProvider
from antrian.providers.http import Timeouts
from antrian.providers.waha.client import WahaProvider
from antrian.providers.waha.payload import sent_id

KEY, LOGIN = SecretStr("s3cr3t-key"), SecretStr("antrian:s3cr3t-key")
OUTGOING = Outgoing("id", "+6281234567890", "Kode 4411: sampai jumpa & 😀", correlation_id="id:0:1")
PATIENT = Timeouts(connect=60, read=60, body=60)


@contextmanager
def answering(status: str, /, **fields: object) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that answers everything so; yields its address, and the heads and bodies that arrived."""
    arrived: list[tuple[str, bytes]] = []

    def answer(connection: socket.socket) -> None:
        head, _, body = read_request(connection).partition(b"\r\n\r\n")
        arrived.append((head.decode(), body))
        said = json.dumps(fields).encode()
        connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(said), said))
        connection.close()

    with serving(answer) as url:
        yield url, arrived


def test_waha() -> None:
    with answering("201 Created", id="true_6281234567890@c.us_3EB0A7") as (url, arrived):
        assert WahaProvider(f"{url}/", KEY, "shop", timeouts=PATIENT).send(OUTGOING) == Sent("3EB0A7")

    ((head, body),) = arrived
    assert head.startswith("POST /api/sendText ")
    assert "X-Api-Key: s3cr3t-key" in head
    assert json.loads(body) == {
        "session": "shop",
        "chatId": "6281234567890@c.us",
        "text": OUTGOING.text,
        "id": sent_id("id:0:1"),
    }


def test_gowa() -> None:
    answer = {"code": "SUCCESS", "message": "sent", "results": {"message_id": "3EB0A7"}}
    with answering("200 OK", **answer) as (url, arrived):
        provider = GowaProvider(url, LOGIN, "shop", timeouts=PATIENT)
        assert provider.send(OUTGOING) == Sent("3EB0A7")

    ((head, body),) = arrived
    assert head.startswith("POST /send/message ")
    assert "X-Device-Id: shop" in head
    assert f"Authorization: Basic {base64.b64encode(b'antrian:s3cr3t-key').decode()}" in head
    assert json.loads(body) == {"phone": "6281234567890@s.whatsapp.net", "message": OUTGOING.text}


def test_fonnte() -> None:
    with answering("200 OK", status=True, id=["80367170"], process="pending") as (url, arrived):
        assert FonnteProvider(KEY, url, timeouts=PATIENT).send(OUTGOING) == Sent("80367170")

    ((head, body),) = arrived
    assert head.startswith("POST /send ")
    assert "Authorization: s3cr3t-key\r\n" in head + "\r\n"
    assert "Content-Type: application/x-www-form-urlencoded" in head
    assert dict(parse_qsl(body.decode())) == {
        "target": "6281234567890",
        "message": OUTGOING.text,
        "countryCode": "0",
        "connectOnly": "true",
    }


MAKERS: dict[str, Callable[[str], Provider]] = {
    "waha": lambda url: WahaProvider(url, KEY, timeouts=PATIENT),
    "gowa": lambda url: GowaProvider(url, LOGIN, timeouts=PATIENT),
    "fonnte": lambda url: FonnteProvider(KEY, url, timeouts=PATIENT),
}


@pytest.mark.parametrize("name", MAKERS)
def test_failure_repeats_nothing_private(name: str) -> None:
    echo = f"cannot send {OUTGOING.text} to 6281234567890 with {KEY.get_secret_value()}"
    with answering("500 Error", message=echo, code=echo, reason=echo, status=False) as (url, _):
        result = MAKERS[name](url).send(OUTGOING)

    assert isinstance(result, Failed)
    assert result.detail.startswith("cannot send")
    assert not [secret for secret in ("s3cr3t", "81234567890", "4411") if secret in repr(result)]


@pytest.mark.parametrize("name", MAKERS)
def test_lost_answer_is_uncertain(name: str) -> None:
    def lost(connection: socket.socket) -> None:
        read_request(connection)
        connection.close()

    with serving(lost) as url:
        result = MAKERS[name](url).send(OUTGOING)

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == ("uncertain", "connection-lost")
