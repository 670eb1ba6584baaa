"""The dialects over HTTP: the same simulator numbers in each, the list of requests, and their webhooks."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from receiver import Receiver, Taken, receiving

from antrian.sandbox.behaviour import Mode, ModeName
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.report import WebhookTarget
from antrian.sandbox.server import SandboxServer
from waiting import wait_until

Sends = Callable[[str, str, float], requests.Response]


def meta_cloud(url: str, number: str, patience: float) -> requests.Response:
    body = {"messaging_product": "whatsapp", "to": number, "type": "text", "text": {"body": "Halo"}}
    named = {"biz_opaque_callback_data": "id:1:1"}
    headers = {"Authorization": "Bearer token"}
    return requests.post(f"{url}/v25.0/1066/messages", json=body | named, headers=headers, timeout=patience)


def twilio(url: str, number: str, patience: float) -> requests.Response:
    form = {"To": f"whatsapp:+{number}", "From": "whatsapp:+6281100000000", "Body": "Halo"}
    address = f"{url}/2010-04-01/Accounts/AC1/Messages.json"
    return requests.post(address, data=form, auth=("AC1", "token"), timeout=patience)


def waha(url: str, number: str, patience: float) -> requests.Response:
    body = {"session": "default", "chatId": f"{number}@c.us", "text": "Halo"}
    return requests.post(f"{url}/api/sendText", json=body, headers={"X-Api-Key": "key"}, timeout=patience)


def gowa(url: str, number: str, patience: float) -> requests.Response:
    body = {"phone": f"{number}@s.whatsapp.net", "message": "Halo"}
    return requests.post(f"{url}/send/message", json=body, auth=("user", "secret"), timeout=patience)


def fonnte(url: str, number: str, patience: float) -> requests.Response:
    form = {"target": number, "message": "Halo"}
    return requests.post(f"{url}/send", data=form, headers={"Authorization": "token"}, timeout=patience)


def meta_status(taken: Taken) -> str:
    return str(json.loads(taken.body)["entry"][0]["changes"][0]["value"]["statuses"][0]["status"])


def twilio_status(taken: Taken) -> str:
    return parse_qs(taken.body.decode())["MessageStatus"][0]


def waha_status(taken: Taken) -> str:
    return str(json.loads(taken.body)["payload"]["ackName"])


def gowa_status(taken: Taken) -> str:
    return str(json.loads(taken.body)["payload"]["receipt_type"])


def fonnte_status(taken: Taken) -> str:
    return str(json.loads(taken.body)["state"])


DIALECTS: list[tuple[Sends, Callable[[Taken], str], list[str]]] = [
    (meta_cloud, meta_status, ["sent", "delivered", "read"]),
    (twilio, twilio_status, ["sent", "delivered", "read"]),
    (waha, waha_status, ["SERVER", "DEVICE", "READ"]),
    (gowa, gowa_status, ["delivered", "read"]),
    (fonnte, fonnte_status, ["sent", "delivered", "read"]),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[SandboxServer]:
    targets = [WebhookTarget(f"{receiver.url}/{send.__name__}", "secret", send.__name__) for send, _, _ in DIALECTS]
    with SandboxServer(targets=targets, pace=ReceiptPace(0, 0.02, 0.02)) as server:
        server.record.mode = Mode(seconds=0.1)
        yield server


@pytest.mark.parametrize(("send", "status_of", "expected"), DIALECTS, ids=lambda value: getattr(value, "__name__", ""))
def test_numbers_and_receipts(
    sandbox: SandboxServer,
    receiver: Receiver,
    send: Sends,
    status_of: Callable[[Taken], str],
    expected: list[str],
) -> None:
    name = send.__name__
    url = f"{sandbox.url}/dialect/{name}"
    answers = [send(url, f"62812000{ending}", 60) for ending in ("9001", "9004", "9014")]
    lost = 0
    for ending, patience in (("9006", 0.5), ("9007", 60)):
        with pytest.raises(requests.RequestException):
            send(url, f"62812001{ending}", patience)
        lost += 1
    listed = requests.get(f"{sandbox.url}/_sandbox/requests", timeout=60).json()

    assert (answers[1].status_code, answers[1].headers["Retry-After"]) == (429, "1")
    assert [(one["dialect"], one["kind"], one["message"]) for one in listed] == [(name, "text", "Halo")] * 5
    assert [one["answered"] for one in listed] == ["rejected", "throttled", "sent", "never", "dropped"]
    assert listed[2]["provider_id"] in answers[2].text
    wait_until(lambda: len(receiver.taken) >= lost * len(expected), 30, "the receipts have come")
    assert sorted(map(status_of, receiver.taken)) == sorted(expected * lost)
    assert {taken.path for taken in receiver.taken} == {f"/{name}"}


@pytest.mark.parametrize(("mode", "status"), [(ModeName.DOWN, 503), (ModeName.THROTTLE, 429)])
def test_modes_hold_for_every_dialect(sandbox: SandboxServer, mode: ModeName, status: int) -> None:
    sandbox.record.mode = Mode(mode)
    answers = [send(f"{sandbox.url}/dialect/{send.__name__}", "6281234567890", 60) for send, _, _ in DIALECTS]

    assert [answer.status_code for answer in answers] == [status] * len(DIALECTS)


def test_receipt_goes_where_twilios_message_says(sandbox: SandboxServer, receiver: Receiver) -> None:
    form: dict[str, Any] = {"To": "whatsapp:+6281234567890", "From": "whatsapp:+62811", "Body": "Halo"}
    address = f"{sandbox.url}/dialect/twilio/2010-04-01/Accounts/AC1/Messages.json"
    own = form | {"StatusCallback": f"{receiver.url}/own?c=id"}
    requests.post(address, data=own, auth=("AC1", "token"), timeout=60)

    wait_until(lambda: len(receiver.taken) >= 3, 30, "the receipts have come")
    assert {taken.path for taken in receiver.taken} == {"/own?c=id"}


def test_unknown_dialect_has_no_pages(sandbox: SandboxServer) -> None:
    assert requests.post(f"{sandbox.url}/dialect/nobody/send", json={}, timeout=60).status_code == 404
