"""Search with one field, its export, who did what, the doctor and a test for later, over HTTP."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from admin import AdminServer, Client
from factories import PHONE

from admin_api.auth.roles import Role
from admin_api.viewer_search import MOST_MISSES
from waiting import wait_until


@pytest.fixture
def client(admin: AdminServer) -> Client:
    return admin.client(Role.ADMIN, "ani")


@pytest.fixture
def found(publisher, client) -> list[str]:
    """Three messages, in the history."""
    made = [
        publisher.queue_message(PHONE, "=Bayar tagihan di Café", idempotency_key="invoice-17"),
        publisher.queue_message("+6281300001111", "Kode OTP 4411", idempotency_key="otp-1"),
        publisher.queue_message("+6281300002222", "Kode OTP 9911", source="newsletter"),
    ]
    wait_until(lambda: len(client.get("/messages")["items"]) == 3, 20, "they are in the history")
    return [one.message_id for one in made]


def ids(answer) -> list[str]:
    return [one["message_id"] for one in answer["items"]]


def test_one_field_finds_everything_and_says_by_what(client, found):
    for term, expected, kind in (
        ("0812-3456-7890", [found[0]], "number"),
        ("1111", [found[1]], "number"),
        ("invoice", [found[0]], "key"),
        (found[2][:8], [found[2]], "id"),
        ("kode", [found[2], found[1]], "text"),
        ("newsletter", [found[2]], "source"),
    ):
        answer = client.get("/messages", q=term, count=True)
        assert (ids(answer), answer["total"], answer["is_total_exact"]) == (expected, len(expected), True), term
        assert all(kind in one["matched_by"] for one in answer["items"]), term
    assert ids(client.get("/messages", q="kode", source="newsletter")) == [found[2]]
    assert client.get("/messages", q="kode")["total"] is None
    assert client.get("/sources")["items"] == ["newsletter", "test"]
    assert client.ask("GET", "/messages", params={"q": "x", "key": "y"}).status_code == 422


def test_viewers_find_nothing_that_they_may_not_see(admin, found):
    viewer = admin.client(Role.VIEWER)
    for term in ("1111", "0813", "bayar", "kode otp", "invoice", "invoice-1"):
        answer = viewer.get("/messages", q=term, count=True)
        assert (answer["items"], answer["total"]) == ([], 0), term
    text = json.dumps(viewer.get("/messages", q="invoice-17"), ensure_ascii=False)
    assert found[0] in text
    assert not any(secret in text for secret in ("invoice-17", "345678", "tagihan"))
    assert viewer.ask("GET", "/messages/export", params={"q": "kode"}).status_code == 403


@pytest.mark.usefixtures("found")
def test_viewers_cannot_try_all_numbers_that_a_masked_one_may_be(admin, client):
    viewer, other = admin.client(Role.VIEWER), admin.client(Role.VIEWER)
    guesses = [f"0812000{number:05}" for number in range(MOST_MISSES)]
    for number, guess in enumerate(guesses):
        path, name = [("/messages", "q"), ("/messages", "phone_number"), ("/failed", "phone_number")][number % 3]
        assert viewer.ask("GET", path, params={name: guess}).status_code == 200
    ways = [("/messages", "q"), ("/messages", "phone_number"), ("/messages", "key"), ("/failed", "phone_number")]
    for path, name in [*ways, ("/waiting/counts", "phone_number")]:
        answer = viewer.ask("GET", path, params={name: PHONE})
        assert (answer.status_code, answer.json()["code"]) == (429, "guessing")
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    # An open page repeats its search whenever something happens, and everybody else goes on.
    assert viewer.get("/messages", q=guesses[0])["items"] == []
    assert viewer.get("/messages", q="invoice")["items"] == []
    assert viewer.get("/messages", q=PHONE[:10])["items"] == []
    assert viewer.ask("GET", "/messages", params={"key": f"{PHONE}:1"}).status_code == 429
    assert all(who.get("/messages", q=PHONE)["items"] for who in (other, client))


def test_viewers_cannot_ask_which_number_a_failure_names(admin):
    viewer = admin.client(Role.VIEWER)
    assert viewer.ask("GET", "/failed", params={"detail": "+6281234567890 is blocked"}).status_code == 403
    assert viewer.ask("GET", "/failed", params={"detail": "•••• is blocked"}).status_code == 200


def test_what_was_found_is_exported(client, found):
    lines = client.ask("GET", "/messages/export", params={"q": "kode", "format": "jsonl"}).text.splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == [found[2], found[1]]
    answer = client.ask("GET", "/messages/export", params={"q": "invoice-17"})
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    # No spreadsheet takes a text for a formula.
    assert (row["message_id"], row["message"], row["priority"]) == (found[0], "'=Bayar tagihan di Café", "normal")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_doctor_finds_over_http_what_it_finds_on_the_command_line(admin, client):
    report = client.get("/doctor")
    assert report["is_complete"]
    assert {"settings", "disk", "broker", "topology", "lane", "history", "clock"} <= {
        one["subject"] for one in report["findings"]
    }
    assert report["problems"] == sum(one["state"] == "problem" for one in report["findings"])
    assert "No consumer serves lane default" in json.dumps(report)
    assert all(one["todo"] for one in report["findings"] if one["state"] != "ok")
    assert set(report["versions"]) == {"antrian", "python", "rabbitmq"}
    # For a while everybody gets the same one; somebody who asks for a new one gets it.
    viewer = admin.client(Role.VIEWER)
    assert viewer.get("/doctor")["at"] == report["at"] or viewer.get("/doctor")["at"] > report["at"]
    # Where the files of this machine are is nothing for viewers.
    home = str(admin.settings.antrian_home)
    assert home in json.dumps(report)
    assert home not in viewer.ask("GET", "/doctor").text
    wait_until(lambda: client.get("/doctor", fresh=True)["at"] > report["at"], 30, "it is looked at again")


def test_a_test_is_sent_later_or_not_after_a_time(client):
    later = datetime.now(UTC) + timedelta(hours=2)
    body = {"phone_number": PHONE, "message": "Halo", "deliver_at": later.isoformat(), "idempotency_key": "once"}
    made = client.post("/send-test", body | {"expires_at": (later + timedelta(hours=1)).isoformat()})
    path = f"/messages/{made['message_id']}"
    wait_until(lambda: client.ask("GET", path).ok, 20, "it is in the history")
    record = client.get(path)
    assert record["state"] == "scheduled"
    assert abs(record["due_at"] - later.timestamp()) < 60
    assert abs(record["expires_at"] - later.timestamp() - 3600) < 1
    answer = client.ask("POST", "/send-test", json=body | {"expires_at": datetime.now(UTC).isoformat()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.expires_at")
    assert client.ask("POST", "/send-test", json=body | {"deliver_at": "2026-01-01T00:00:00"}).status_code == 422


def test_actions_are_told_with_their_message_and_outcome(admin, client, found):
    admin.client(Role.OPERATOR, "budi").post(f"/messages/{found[0]}/cancel")
    client.ask("POST", "/send-test", json={"phone_number": "12", "message": "Halo"})
    client.post("/failed/redrive", {"filter": {}, "dry_run": True})
    client.post("/clear", {"scope": "queued", "dry_run": True})
    told = wait_until(lambda: found if len(found := client.get("/audit")["items"]) == 4 else None, 20, "all are told")
    assert [one["verdict"] for one in told] == ["looked_at", "looked_at", "refused", "done"]
    told = told[1:]
    assert told[2]["message"] == {"message_id": found[0], "phone_number": PHONE}
    assert client.get("/audit/actors")["items"] == ["api:ani", "api:budi"]
    assert len(client.get("/audit", actor="api:ani")["items"]) == 3
    assert client.get("/audit", until=told[2]["at"])["items"] == []
    assert len(client.get("/audit", since=told[1]["at"])["items"]) == 3
    client.post("/pause")
    client.post("/clear", {"scope": "all"})
    cleared = wait_until(lambda: client.get("/undo")["items"], 20, "it is on record")
    assert {one["lane"] for one in cleared} == {"default"}
