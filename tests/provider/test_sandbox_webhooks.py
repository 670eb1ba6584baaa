"""What the sandbox reports of the messages that it was given, to a real receiver."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from receiver import Receiver, Taken, receiving

from antrian.sandbox.behaviour import Mode
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.report import WebhookTarget
from antrian.sandbox.server import SandboxServer
from waiting import wait_until

CURL = {"Content-Type": "application/x-www-form-urlencoded"}
SECRET = "the-webhook-s-secret"
FIELDS = {"api_key": "key", "sender": "6281100000000", "message": "Halo", "full": 1}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[SandboxServer]:
    target = WebhookTarget(f"{receiver.url}/receipts/default/x", SECRET)
    with SandboxServer(targets=[target], pace=ReceiptPace(0, 0.02, 0.02)) as server:
        server.record.mode = Mode(seconds=0.1)
        yield server


def send(sandbox: SandboxServer, ending: str, **more: str) -> str:
    """Send to the number with that ending; returns its id, as far as the answer says it."""
    answer = requests.post(
        f"{sandbox.url}/send-message", json=FIELDS | {"number": f"62812000{ending}"} | more, timeout=60
    )
    return str(answer.json()["data"]["key"]["id"])


def control(sandbox: SandboxServer, page: str, body: object) -> tuple[int, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{page}", json=body, timeout=60)
    return answer.status_code, answer.json()


def event_of(taken: Taken) -> dict[str, Any]:
    """The event of a webhook, whose signature must be right."""
    signature = hmac.new(SECRET.encode(), taken.body, hashlib.sha256).hexdigest()
    assert taken.headers["x-sandbox-signature"] == f"sha256={signature}"
    [event] = json.loads(taken.body)["events"]
    return dict(event)


def statuses(receiver: Receiver, count: int) -> list[str]:
    wait_until(lambda: len(receiver.taken) >= count, 30, "the receipts have come")
    return [event_of(taken)["status"] for taken in receiver.taken]


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("7890", ["sent", "delivered", "read"]),
        ("9011", ["sent", "delivered", "read"]),
        ("9012", ["sent", "sent", "delivered", "delivered", "read", "read"]),
        ("9013", ["read", "delivered", "sent"]),
        ("9015", ["sent", "failed"]),
        ("9017", ["sent", "failed", "delivered"]),
    ],
)
def test_receipts_follow_as_the_number_says(
    sandbox: SandboxServer, receiver: Receiver, ending: str, expected: list[str]
) -> None:
    name = send(sandbox, ending, correlation_id="ours:1:2")

    assert statuses(receiver, len(expected)) == expected
    events = [event_of(taken) for taken in receiver.taken]
    assert {(one["id"], one["correlation_id"], one["number"]) for one in events} == {
        (name, "ours:1:2", f"+62812000{ending}")
    }
    assert {taken.path for taken in receiver.taken} == {"/receipts/default/x"}


def test_message_that_failed_for_now_arrives_at_the_next_attempt(sandbox: SandboxServer, receiver: Receiver) -> None:
    send(sandbox, "9016")
    statuses(receiver, 2)
    send(sandbox, "9016")

    assert statuses(receiver, 5) == ["sent", "failed", "sent", "delivered", "read"]
    assert event_of(receiver.taken[1])["final"] is False


@pytest.mark.parametrize("ending", ["9006", "9007"])
def test_message_whose_answer_is_lost_has_receipts(sandbox: SandboxServer, receiver: Receiver, ending: str) -> None:
    with pytest.raises(requests.RequestException):
        requests.post(f"{sandbox.url}/send-message", json=FIELDS | {"number": f"62812000{ending}"}, timeout=0.5)

    assert statuses(receiver, 3) == ["sent", "delivered", "read"]


def test_message_that_was_not_accepted_has_none(sandbox: SandboxServer, receiver: Receiver) -> None:
    for ending in ("9001", "9002", "9014"):
        requests.post(f"{sandbox.url}/send-message", json=FIELDS | {"number": f"62812000{ending}"}, timeout=60)
    send(sandbox, "7890")

    assert statuses(receiver, 3) == ["sent", "delivered", "read"]
    assert {event_of(taken)["number"] for taken in receiver.taken} == {"+628120007890"}


def test_receiver_that_is_away_is_called_again_and_one_that_refuses_is_not(
    sandbox: SandboxServer, receiver: Receiver
) -> None:
    receiver.answers[:] = [503, 401]
    send(sandbox, "7890")

    wait_until(lambda: told(sandbox)["waiting"] == 0, 30, "every webhook has come to its end")
    assert sorted(statuses(receiver, 4)) == ["delivered", "read", "sent", "sent"]
    assert (told(sandbox)["taken"], told(sandbox)["given_up"]) == (2, 1)


def told(sandbox: SandboxServer) -> dict[str, Any]:
    return dict(requests.get(f"{sandbox.url}/_sandbox/webhook", timeout=60).json())


def test_webhook_is_set_told_without_its_secrets_and_forgotten(receiver: Receiver) -> None:
    with SandboxServer(pace=ReceiptPace(0, 0, 0)) as sandbox:
        send(sandbox, "7890")
        body = {"url": f"{receiver.url}/receipts/two/path-secret", "secret": SECRET, "sender": "6281100000002"}
        status, answer = control(sandbox, "webhook", body)
        send(sandbox, "7891")
        send(sandbox, "7892", sender="6281100000002")

        assert (status, answer["webhooks"]) == (
            200,
            [{"provider": "sandbox", "sender": "6281100000002", "url": f"{receiver.url}/…"}],
        )
        statuses(receiver, 3)
        assert {event_of(taken)["number"] for taken in receiver.taken} == {"+628120007892"}
        assert requests.delete(f"{sandbox.url}/_sandbox/webhook", timeout=60).json() == {"removed": 1}
        assert told(sandbox)["webhooks"] == []


def test_control_understands_what_a_plain_curl_sends(sandbox: SandboxServer) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/mode", data='{"mode": "down"}', headers=CURL, timeout=60)

    assert answer.json()["mode"] == "down"


def test_a_sandbox_that_was_stopped_reports_again_once_it_is_started(receiver: Receiver) -> None:
    sandbox = SandboxServer(targets=[WebhookTarget(receiver.url, SECRET)], pace=ReceiptPace(0, 0, 0))
    for count in (3, 6):
        with sandbox:
            send(sandbox, "7890")
            assert statuses(receiver, count) == ["sent", "delivered", "read"] * (count // 3)


def test_pace_of_the_receipts_is_set(sandbox: SandboxServer) -> None:
    assert control(sandbox, "receipts", {"delays": [1, 2, 3.5]}) == (200, {"delays": [1, 2, 3.5]})
    assert requests.get(f"{sandbox.url}/_sandbox/receipts", timeout=60).json() == {"delays": [1, 2, 3.5]}
    assert control(sandbox, "receipts", {"delays": [1, 2]})[0] == 400


def test_receipts_by_hand_by_either_id_and_for_a_message_that_never_was(
    sandbox: SandboxServer, receiver: Receiver
) -> None:
    control(sandbox, "receipts", {"delays": [3600, 0, 0]})
    name = send(sandbox, "7890", correlation_id="ours:1:1")
    answers = [
        control(sandbox, "receipt", {"id": name, "status": "read"}),
        control(sandbox, "receipt", {"id": "ours:1:1", "status": "failed", "final": False}),
        control(sandbox, "receipt", {"id": "3EB0STRANGE", "status": "delivered"}),
    ]

    assert [(status, answer["forwarded"], answer["http_status"]) for status, answer in answers] == [
        (200, True, 200)
    ] * 3
    events = [event_of(taken) for taken in receiver.taken]
    assert [(one["id"], one["correlation_id"], one["status"]) for one in events] == [
        (name, "ours:1:1", "read"),
        (name, "ours:1:1", "failed"),
        ("3EB0STRANGE", "", "delivered"),
    ]


def test_person_s_message_and_the_session_s_state_are_forwarded(sandbox: SandboxServer, receiver: Receiver) -> None:
    receiver.answers[:] = [200, 503]
    wrote = control(sandbox, "inbound", {"number": "+62 812-3456-7890", "text": "BERHENTI"})
    state = control(sandbox, "session", {"state": "needs_qr"})

    assert wrote == (200, {"number": "6281234567890", "known": True, "forwarded": True, "http_status": 200})
    assert state == (200, {"state": "needs_qr", "forwarded": False, "http_status": 503})
    inbound, session = map(event_of, receiver.taken)
    assert (inbound["type"], inbound["number"], inbound["text"]) == ("inbound", "+6281234567890", "BERHENTI")
    assert (session["type"], session["state"]) == ("session", "needs_qr")


@pytest.mark.parametrize(
    ("page", "body"),
    [
        ("webhook", {}),
        ("webhook", {"url": "ftp://x", "secret": SECRET}),
        ("webhook", {"url": "http://x", "secret": ""}),
        ("webhook", {"url": "http://x", "secret": SECRET, "provider": "nobody"}),
        ("webhook", {"url": "http://x", "secret": SECRET, "sender": "1", "session": "2"}),
        ("receipt", {"id": "x", "status": "lost"}),
        ("receipt", {"status": "sent"}),
        ("session", {"state": "asleep"}),
        ("receipts", {"delays": [-1, 0, 0]}),
    ],
)
def test_wrong_wish_is_explained(sandbox: SandboxServer, page: str, body: object) -> None:
    status, answer = control(sandbox, page, body)

    assert (status, list(answer)) == (400, ["error"])


def test_without_a_webhook_nothing_can_be_reported() -> None:
    with SandboxServer() as sandbox:
        answers = [
            control(sandbox, "receipt", {"id": "x", "status": "sent"}),
            control(sandbox, "session", {"state": "banned"}),
        ]

    assert [status for status, _ in answers] == [400, 400]
