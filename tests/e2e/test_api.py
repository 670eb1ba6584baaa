"""The API as another program uses it: real process, real broker, real consumer."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from admin import AdminServer, Client
from factories import PHONE
from pydantic import SecretStr
from tcp_proxy import proxy_before

from admin_api.auth.roles import Role
from antrian.domain.phone_number import mask
from waiting import wait_until


@pytest.fixture
def client(admin: AdminServer) -> Client:
    return admin.client(Role.ADMIN, "ani")


@pytest.fixture
def service(admin: AdminServer) -> Client:
    return admin.client(Role.PUBLISHER, "registration")


def test_status_tells_what_waits_in_sending_order_with_eta(client, publisher):
    for number, priority in enumerate(("low", "normal", "high")):
        publisher.queue_message(PHONE, f"text {number}", priority=priority)
    status = wait_until(
        lambda: found if len((found := client.get("/status"))["next_messages"]) == 3 else None, 5, "three are listed"
    )
    assert (status["queue_length"], status["is_processing"], status["failed_messages"]) == (3, False, 0)
    assert status["estimated_time"] is None
    assert [one["priority"] for one in status["next_messages"]] == ["high", "normal", "low"]
    assert {one["phone_number"] for one in status["next_messages"]} == {PHONE}
    assert status["next_send_reason"] == "no-consumer"
    assert [one["eta_seconds"] for one in status["next_messages"]] == [None] * 3


def test_eta_is_a_delay_apart_while_a_consumer_runs(client, publisher, consumer):
    for number in range(4):
        publisher.queue_message(PHONE, f"text {number}")
    consumer(WHATSAPP_QUEUE_DELAY="600")
    status = wait_until(
        lambda: (
            found
            if (found := client.get("/status"))["next_send_reason"] == "pause" and len(found["next_messages"]) == 3
            else None
        ),
        10,
        "the first is sent and the others wait",
    )
    etas = [one["eta_seconds"] for one in status["next_messages"]]
    # It is the consumer's delay that counts, whatever the admin process's own settings are.
    assert status["delay"] == 600
    assert 300 < etas[0] <= 600
    assert 600 < etas[1] - etas[0] < 610


def test_the_status_counts_at_once_what_was_just_published(client, publisher):
    for number in range(5):
        publisher.queue_message(PHONE, f"text {number}")
        assert client.get("/status")["queue_length"] == number + 1


def test_clear_without_a_body_means_what_waits(client, publisher):
    publisher.queue_message(PHONE, "text")
    answer = client.post("/clear")
    assert (answer["cleared_queued"], answer["cleared_failed"], answer["in_flight"]) == (1, 0, 0)
    assert client.get("/status")["queue_length"] == 0


def test_what_was_cleared_comes_back_once(client, publisher, records):
    for number in range(3):
        publisher.queue_message(PHONE, f"text {number}", priority="high")
    undo_id = client.post("/clear", {"scope": "queued"})["undo_id"]
    assert client.post(f"/undo/{undo_id}") == {"restored": 3}
    assert records.waiting(records.names.lane("default")) == 3
    again = client.ask("POST", f"/undo/{undo_id}")
    assert again.status_code == 409
    assert again.headers["Content-Type"] == "application/problem+json"
    wait_until(lambda: any(one["undone_at"] for one in client.get("/undo")["items"]), 5, "it is on record")
    assert [one["undo_id"] for one in client.get("/undo")["items"] if one["undone_at"]] == [undo_id]


def test_one_source_is_counted_cleared_and_put_back(client, publisher, admin):
    for number in range(3):
        publisher.queue_message(PHONE, f"campaign {number}", source="campaign", idempotency_key=f"c-{number}")
    publisher.queue_message(PHONE, "stays", source="registration")
    wait_until(lambda: client.get("/waiting/counts")["total"] == 4, 10, "all are listed")
    assert client.get("/waiting/counts", source="registration") == {
        "total": 4,
        "matching": 1,
        "sources": [{"source": "campaign", "count": 3}, {"source": "registration", "count": 1}],
    }
    dry = client.post("/clear", {"filter": {"source": "campaign"}, "dry_run": True})
    assert (dry["matching"], dry["cleared_queued"], dry["undo_id"]) == (3, 0, "")
    answer = client.post("/clear", {"filter": {"key_prefix": "c-"}})
    assert (answer["cleared_queued"], answer["cancelling"], answer["matching"]) == (3, 0, None)
    assert client.get("/status")["queue_length"] == 1
    assert client.post(f"/undo/{answer['undo_id']}") == {"restored": 3}
    viewer = admin.client(Role.VIEWER)
    assert viewer.ask("GET", "/waiting/counts?key_prefix=c").status_code == 403
    assert viewer.ask("GET", "/messages?key_prefix=c").status_code == 403


def test_a_lane_that_sends_goes_on_without_what_is_cleared_and_with_what_comes_back(
    client, publisher, consumer, arrivals
):
    for number in range(60):
        source = "campaign" if number % 2 else "registration"
        publisher.queue_message(PHONE, f"{source} {number}", source=source)
    consumer(WHATSAPP_QUEUE_DELAY="0.1")
    arrivals.wait_for(4, 20)
    answer = client.post("/clear", {"filter": {"source": "campaign"}})
    assert answer["cleared_queued"] > 10
    sent_before = len([text for text in arrivals.texts() if text.startswith("campaign")])
    wait_until(lambda: client.get("/status")["queue_length"] == 0, 30, "the rest is sent")
    texts = arrivals.texts()
    campaign = [text for text in texts if text.startswith("campaign")]
    # The one that was being sent may have arrived after we looked.
    assert len(campaign) <= sent_before + 1
    # While the scan holds the front of the queue, the lane chooses from the rest: a known limit of the order, not
    # of what arrives. Once the scan is over, the order is the queue's again.
    rest = [int(text.split()[1]) for text in texts if text.startswith("registration")]
    assert sorted(rest) == list(range(0, 60, 2))
    assert rest[-10:] == sorted(rest[-10:])
    # One that the consumer held was cancelled instead, and perhaps dropped before the undo: that is put back, too.
    assert client.post(f"/undo/{answer['undo_id']}")["restored"] >= answer["cleared_queued"]
    wait_until(lambda: len(arrivals.texts()) >= 60, 30, "all have arrived")
    assert len(arrivals.texts()) == len(set(arrivals.texts())) == 60


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {}},
        {"filter": {"ids": []}},
        {"filter": {"state": ["sent"]}},
        {"filter": {"source": "x"}, "scope": "all"},
        {"dry_run": True, "scope": "failed"},
        {"filter": {"sauce": "x"}},
    ],
)
def test_a_filter_that_makes_no_sense_clears_nothing(client, publisher, body):
    publisher.queue_message(PHONE, "text")
    assert client.ask("POST", "/clear", json=body).status_code == 422
    assert client.get("/status")["queue_length"] == 1


def test_pause_and_resume_say_who(client):
    assert client.post("/pause")["actor"] == "api:ani"
    status = client.get("/status")
    assert (status["paused"], status["paused_by"], status["next_send_reason"]) == (True, "api:ani", "paused")
    assert client.post("/resume")["paused"] is False


def test_force_says_whether_anybody_heard_it(client, consumer):
    assert client.post("/force-process")["forced"] is False
    consumer()
    wait_until(lambda: client.post("/force-process")["forced"], 5, "the consumer hears it")


def test_a_test_message_is_sent_and_its_life_is_told(client, consumer, arrivals):
    consumer()
    message_id = client.post("/send-test", {"phone_number": "0812-3456-7890", "message": "Halo"})["message_id"]
    arrivals.wait_for(1, 10)
    life = wait_until(lambda: _life_if_sent(client, message_id), 5, "the history knows that it was sent")
    assert life == ["message.queued", "outcome.sending", "outcome.sent"]


def _life_if_sent(client: Client, message_id: str) -> list[str]:
    answer = client.ask("GET", f"/messages/{message_id}")
    found = answer.json() if answer.ok else {}
    return [one["name"] for one in found["life"]] if found.get("state") == "sent" else []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phone_number": "12", "message": "Halo"}, None),
        ({"phone_number": "081234567890", "message": " "}, None),
        ({"phone_number": "081234567890", "message": "Halo", "priority": "huge"}, "invalid"),
        ({"phone_number": "081234567890", "message": "Halo", "idempotancy_key": "x"}, "invalid"),
    ],
)
def test_a_message_that_breaks_the_contract_is_refused_without_being_repeated(client, body, code):
    answer = client.ask("POST", "/send-test", json=body)
    assert answer.status_code == 422
    assert code is None or answer.json()["code"] == code
    assert "Halo" not in answer.text


def test_an_id_with_a_slash_is_found(client, publisher):
    publisher.queue_message(PHONE, "text", message_id="a/b?c")
    path = f"/messages/{quote('a/b?c', safe='')}"
    wait_until(lambda: client.ask("GET", path).ok, 5, "it is in the history")
    assert client.get(path)["message_id"] == "a/b?c"


def test_a_message_that_waits_can_be_cancelled(client, publisher, consumer, arrivals):
    receipt = publisher.queue_message(PHONE, "text")
    path = f"/messages/{receipt.message_id}"
    wait_until(lambda: client.ask("GET", path).ok, 5, "it is in the history")
    assert client.post(f"{path}/cancel")["state"] == "waiting"
    wait_until(lambda: client.get(path)["cancelling"], 10, "the page says so")
    assert client.post(f"{path}/uncancel")["cancelling"] is False
    assert client.ask("POST", f"{path}/uncancel").json()["code"] == "not-cancelled"
    client.post(f"{path}/cancel")
    consumer()
    wait_until(lambda: client.get(path)["state"] == "cancelled", 10, "it is cancelled")
    assert client.ask("POST", f"{path}/cancel").status_code == 409
    assert client.ask("POST", f"{path}/uncancel").json()["code"] == "cancelled"
    assert client.get(path)["cancelling"] is False
    assert client.ask("POST", "/messages/nobody/cancel").status_code == 404
    assert arrivals.all() == []


def test_viewers_see_masked_numbers_and_no_texts(admin, publisher):
    viewer = admin.client(Role.VIEWER)
    secret = {"idempotency_key": "invoice-17", "metadata": {"name": "Ayu"}, "correlation_id": "order-4711"}
    receipt = publisher.queue_message(PHONE, "rahasia", purpose="reminder", **secret)
    wait_until(lambda: viewer.ask("GET", f"/messages/{receipt.message_id}").ok, 5, "it is in the history")
    for path in ("/status", "/messages", f"/messages/{receipt.message_id}"):
        text = json.dumps(viewer.get(path), ensure_ascii=False)
        assert "••••" in text
        assert not any(secret in text for secret in ("rahasia", "345678", "invoice-17", "Ayu", "order-4711"))


def test_viewers_cannot_find_out_by_searching(admin, publisher):
    viewer = admin.client(Role.VIEWER)
    publisher.queue_message(PHONE, "rahasia")
    for query in ({"text": "rah"}, {"phone_number": "3456"}):
        assert viewer.ask("GET", "/messages", params=query).status_code == 403
        assert viewer.ask("GET", "/failed", params=query).status_code == 403
    assert viewer.ask("GET", "/messages", params={"phone_number": "081234567890"}).ok


def test_what_a_service_says_over_http_is_kept_and_each_wrong_field_is_named(client, service):
    said = {"purpose": "reminder", "correlation_id": "order-4711", "metadata": {"a": 1}}
    message_id = service.post("//messages", {"phone_number": PHONE, "message": "Halo", **said})["message_id"]
    wait_until(lambda: client.ask("GET", f"/messages/{message_id}").ok, 5, "it is in the history")
    kept = client.get(f"/messages/{message_id}")
    assert {name: kept[name] for name in said} == said
    wrong = {"phone_number": "0812", "message": "Halo", "purpose": "Two words"}
    refused = service.ask("POST", "//messages", json=wrong)
    assert refused.status_code == 422
    assert {one["field"] for one in refused.json()["errors"]} == {"phone_number", "purpose"}


def test_the_same_key_and_body_get_the_same_answer_and_one_message(client, service, records):
    body = {"phone_number": "081234567890", "message": "Bayar"}
    headers = {"Idempotency-Key": "invoice-17"}
    first = service.post("//messages", body, headers=headers)
    wait_until(lambda: client.ask("GET", f"/messages/{first['message_id']}").ok, 5, "it is in the history")
    assert service.post("//messages", body, headers=headers) == first
    assert records.waiting(records.names.lane("default")) == 1


def test_the_same_key_with_another_body_is_refused(service):
    headers = {"Idempotency-Key": "invoice-17"}
    service.post("//messages", {"phone_number": "081234567890", "message": "Bayar"}, headers=headers)
    answer = service.ask("POST", "//messages", json={"phone_number": "081234567890", "message": "B"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency-key-reused"


def test_a_key_is_known_to_another_process_and_after_a_restart(admin, lane, tmp_path):
    token = admin.token(Role.PUBLISHER, "registration")
    headers, body = {"Idempotency-Key": "invoice-17"}, {"phone_number": "081234567890", "message": "Bayar"}
    first = Client(admin, token).post("//messages", body, headers=headers)
    admin.terminate()
    with AdminServer(lane, tmp_path / "second.log") as other:
        again = Client(other.ready(), token)
        assert again.post("//messages", body, headers=headers) == first
        refused = again.ask("POST", "//messages", json=body | {"message": "B"}, headers=headers)
        assert refused.status_code == 422


def test_a_batch_is_answered_message_by_message(service, records):
    good, bad = {"phone_number": "081234567890", "message": "Halo"}, {"phone_number": "1", "message": "Halo"}
    answer = service.post("//messages/batch", {"messages": [good, bad, good | {"idempotency_key": "k"}]})
    assert [item["status"] for item in answer["items"]] == [202, 422, 202]
    assert answer["accepted"] == 2
    assert records.waiting(records.names.lane("default")) == 2


def test_a_service_may_name_others_but_none_that_has_a_token_of_its_own(admin, service):
    message = {"phone_number": "081234567890", "message": "Halo", "idempotency_key": "invoice-17"}
    payment = admin.client(Role.PUBLISHER, "payment")
    refused = service.ask("POST", "//messages", json=message | {"source": "payment"})
    assert (refused.status_code, refused.json()["code"]) == (422, "foreign-source")
    for source in ("registration", "a form"):
        assert service.post("//messages", message | {"source": source})["message_id"]
    assert payment.post("//messages", message | {"message": "Bayar"})["message_id"]


def test_a_broker_that_hangs_is_said_soon(lane, tmp_path):
    url = lane.amqp_urls[0]
    with proxy_before(url) as proxy:
        ours = lane.model_copy(update={"amqp_url": SecretStr(proxy.through(url))})
        with AdminServer(ours, tmp_path / "admin.log") as admin:
            client = admin.ready().client(Role.VIEWER)
            assert client.get("/status")
            proxy.freeze()
            # The connection itself notices a broker that hangs after a minute.
            answer = client.ask("GET", "/status", timeout=40)
            assert (answer.status_code, answer.json()["code"]) == (503, "broker-away")
            assert answer.json()["detail"] == "The broker does not answer."
            proxy.thaw()
            wait_until(lambda: client.ask("GET", "/status").ok, 20, "it is well again")


def test_a_question_with_too_many_parts_is_refused(client):
    assert client.ask("GET", "/audit", params=[("prefix", "audit.")] * 2_000).status_code == 422


def test_a_broker_that_is_away_is_said_with_retry_after(lane, broker_url, tmp_path):
    with proxy_before(broker_url) as wire:
        ours = lane.model_copy(update={"amqp_url": SecretStr(wire.through(broker_url))})
        _look_while_the_broker_is_away(ours, wire, tmp_path / "admin.log")


def _look_while_the_broker_is_away(settings, wire, log):
    with AdminServer(settings, log) as admin:
        admin.ready()
        service, viewer = admin.client(Role.PUBLISHER), admin.client(Role.VIEWER)
        wire.shut()
        answer = service.ask("POST", "//messages", json={"phone_number": "081234567890", "message": "Halo"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        wait_until(lambda: viewer.ask("GET", "/status").status_code == 503, 10, "the status says so")
        assert requests.get(f"{admin.url}/healthz", timeout=60).status_code == 200
        assert requests.get(f"{admin.url}/readyz", timeout=60).status_code == 503
        wire.open()
        wait_until(lambda: viewer.ask("GET", "/status").ok, 30, "it is well again")


def test_events_stream_what_happens(admin, client, consumer):
    consumer()
    viewer = admin.client(Role.VIEWER)
    with viewer.ask("GET", "/events", stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines(decode_unicode=True)
        assert next(lines) == "event: hello"
        client.post("/send-test", {"phone_number": "081234567890", "message": "rahasia"})
        text = ""
        # The stream tells its status again and again, so that it ends only when both have come, or nothing comes.
        while not ("outcome.sent" in text and "event: status" in text):
            text += f"{next(lines)}\n"
            assert text.count("event: status") < 100
    assert "rahasia" not in text
    assert "345678" not in text


def sent_event(lines: Iterator[str], message_id: str) -> dict[str, Any]:
    """The next event that tells of a message's send."""
    for _ in range(500):
        line = next(lines)
        if line.startswith("data: ") and '"outcome.sent"' in line:
            event = json.loads(line.removeprefix("data: "))
            if event["message_id"] == message_id:
                return event
    raise AssertionError("the send was not told")


def test_the_stream_tells_whom_a_message_goes_to_and_masks_it_for_viewers(admin, client, publisher, consumer):
    consumer()
    with (
        admin.client(Role.VIEWER).ask("GET", "/events", stream=True) as masked,
        client.ask("GET", "/events", stream=True) as whole,
    ):
        eyes = [stream.iter_lines(decode_unicode=True) for stream in (masked, whole)]
        assert [next(lines) for lines in eyes] == ["event: hello"] * 2
        message_id = publisher.queue_message(PHONE, "rahasia", priority="high").message_id
        seen, known = (sent_event(lines, message_id) for lines in eyes)
    assert (known["phone_number"], known["source_service"], known["priority"]) == (PHONE, "test", "high")
    assert (seen["phone_number"], seen["source_service"], seen["priority"]) == (mask(PHONE), "test", "high")
    with client.ask("GET", "/events", stream=True) as again:
        assert sent_event(again.iter_lines(decode_unicode=True), message_id)["phone_number"] == PHONE


def kept(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The lines, and a list of those that were read."""
    told: list[str] = []

    def read() -> Iterator[str]:
        for line in lines:
            told.append(line)
            yield line

    return told, read()


def test_what_was_told_is_not_told_again_when_the_broker_comes_back(lane, tmp_path, publisher, consumer):
    consumer()
    url = lane.amqp_urls[0]
    with proxy_before(url) as proxy:
        ours = lane.model_copy(update={"amqp_url": SecretStr(proxy.through(url))})
        with AdminServer(ours, tmp_path / "admin.log") as admin:
            viewer = admin.ready().client(Role.VIEWER)
            with viewer.ask("GET", "/events", stream=True) as stream:
                told, lines = kept(stream.iter_lines(decode_unicode=True))
                first = publisher.queue_message(PHONE, "satu").message_id
                sent_event(lines, first)
                proxy.shut()
                proxy.cut()
                wait_until(lambda: viewer.ask("GET", "/status").status_code == 503, 10, "it is away")
                proxy.open()
                wait_until(lambda: viewer.ask("GET", "/status").ok, 20, "it is back")
                sent_event(lines, publisher.queue_message(PHONE, "dua").message_id)
    assert sum('"outcome.sent"' in line and first in line for line in told) == 1


def test_an_open_stream_does_not_keep_the_process(admin, client):
    with client.ask("GET", "/events", stream=True) as stream:
        assert stream.ok
        assert admin.terminate() == 0
        # It was ended, and not cut off: what was cut off cannot be read to its end.
        assert "event: hello" in stream.text


def test_metrics_hold_counts_and_nothing_personal(admin, client, publisher):
    publisher.queue_message(PHONE, "rahasia", idempotency_key="invoice-17")
    client.get("/status")
    text = requests.get(f"{admin.url}/metrics", timeout=60).text
    assert 'antrian_messages{lane="default",state="waiting"} 1.0' in text
    assert 'method="GET",route="/status",status="200"' in text
    assert not any(secret in text for secret in ("rahasia", "345678", "invoice-17"))


def test_actions_and_refusals_go_on_record(admin, client):
    admin.client(Role.VIEWER, "budi").ask("POST", "/pause")
    client.post("/pause")
    found = wait_until(
        lambda: items if len(items := client.get("/audit")["items"]) >= 2 else None, 10, "both are on record"
    )
    told = {(one["name"], one["source"], one["details"]["action"]) for one in found}
    assert ("audit.denied", "api:budi", "POST /pause") in told
    assert ("audit.allowed", "api:ani", "POST /pause") in told


def test_simulating_is_for_the_sandbox(client, records):
    assert len(client.post("/simulate")["message_ids"]) == 5
    assert records.waiting(records.names.lane("default")) == 5


def test_a_busy_port_is_one_clear_sentence(admin, lane, tmp_path):
    second = AdminServer(lane, tmp_path / "second.log")
    second._environment["ADMIN_PORT"] = str(admin.port)
    with pytest.raises(AssertionError):
        second.start()
    assert f"127.0.0.1:{admin.port} cannot be used" in second.log()
    assert "Traceback" not in second.log()
