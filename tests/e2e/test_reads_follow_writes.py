"""A list never contradicts a count that its reader has just seen."""

import time
import uuid

import pytest
from admin import AdminServer
from pydantic import SecretStr
from tcp_proxy import proxy_before

from admin_api.auth.roles import Role
from waiting import wait_until

PHONE = "081234567890"


@pytest.fixture
def client(admin):
    return admin.client(Role.ADMIN)


def test_a_dead_letter_that_the_status_counts_is_in_the_list(client, stock):
    for round_ in range(1, 51):
        stock.add_dead(str(uuid.uuid4()))
        wait_until(lambda n=round_: client.get("/status")["failed_messages"] == n, 10, "it is counted", every=0.001)
        answer = client.get("/failed", group=True)
        assert (answer["total"], sum(one["count"] for one in answer["groups"])) == (round_, round_), answer["history"]
        assert answer["history"] == {"caught_up": True, "behind_seconds": 0}


def test_what_was_accepted_is_found_at_once(client):
    for number in range(30):
        message_id = client.post("/send-test", {"phone_number": PHONE, "message": f"Halo {number}"})["message_id"]
        assert client.ask("GET", f"/messages/{message_id}").status_code == 200


def test_what_was_cleared_purged_and_undone_is_told_at_once(client, publisher, stock):
    for _ in range(5):
        publisher.queue_message(PHONE, "Halo")
        undo_id = client.post("/clear", {"scope": "queued"})["undo_id"]
        assert [one["state"] for one in client.get("/messages", limit=1)["items"]] == ["cleared"]
        assert client.get("/undo")["items"][0]["undo_id"] == undo_id
        client.post(f"/undo/{undo_id}")
        assert client.get("/undo")["items"][0]["undone_at"] is not None
        stock.add_dead(name := str(uuid.uuid4()))
        wait_until(lambda: client.get("/failed")["total"] == 1, 10, "it is listed")
        assert client.delete("/failed", {"ids": [name]})["purged"] == 1
        assert client.get("/failed")["total"] == 0


def test_while_the_broker_is_away_lists_say_so_without_waiting(lane, tmp_path):
    url = lane.amqp_urls[0]
    with proxy_before(url) as proxy:
        ours = lane.model_copy(update={"amqp_url": SecretStr(proxy.through(url))})
        with AdminServer(ours, tmp_path / "admin.log") as admin:
            client = admin.ready().client(Role.VIEWER)
            wait_until(lambda: client.get("/failed")["history"]["caught_up"], 20, "it has read the journal")
            went_at = time.time()
            proxy.shut()
            problem = wait_until(
                lambda: None if (answer := client.ask("GET", "/status")).ok else answer.json(), 20, "it is away"
            )
            assert (problem["code"], problem["detail"]) == ("broker-away", "The broker does not answer.")
            assert problem["reason"]
            age = wait_until(
                lambda: found if not (found := client.get("/failed")["history"])["caught_up"] else None, 20, "it is old"
            )
            assert age["behind_seconds"] <= time.time() - went_at + 1
