"""Two admin processes at once: beside each other on one machine, and each with files of its own."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import requests
from admin import AdminServer
from factories import PHONE
from queue_fixture import Stock

from admin_api.auth.roles import Role
from waiting import wait_until


@pytest.fixture(params=["one folder", "two folders"])
def pair(request, lane, tmp_path):
    """Two running admin processes that share their files, or do not."""
    numbers = count(1)

    def server():
        number = next(numbers)
        home = lane.antrian_home if request.param == "one folder" else tmp_path / f"home-{number}"
        settings = lane.model_copy(update={"antrian_home": home})
        return AdminServer(settings, tmp_path / f"admin-{number}.log")

    with server() as one, server() as other:
        yield one.ready(), other.ready()


def clients(pair):
    return [server.client(Role.ADMIN, f"ani-{number}") for number, server in enumerate(pair)]


def test_what_one_does_the_other_shows(pair, publisher):
    one, other = clients(pair)
    one.post("/pause")
    assert other.get("/status")["paused_by"] == "api:ani-0"
    other.post("/resume")
    assert one.get("/status")["paused"] is False
    receipt = publisher.queue_message(PHONE, "text")
    for client in (one, other):
        wait_until(lambda c=client: c.ask("GET", f"/messages/{receipt.message_id}").ok, 5, "both know the message")
        assert client.get("/status")["queue_length"] == 1


def test_of_two_undos_at_once_one_wins(pair, publisher, records):
    one, other = clients(pair)
    for number in range(200):
        publisher.queue_message(PHONE, f"text {number}")
    undo_id = one.post("/clear")["undo_id"]
    wait_until(lambda: any(item["undo_id"] == undo_id for item in other.get("/undo")["items"]), 5, "both know of it")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda client: client.ask("POST", f"/undo/{undo_id}"), (one, other)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert records.waiting(records.names.lane("default")) == 200


def test_a_job_of_one_is_seen_and_cancelled_through_the_other(pair, lane):
    one, other = clients(pair)
    Stock(lane).add_dead(*(f"m{number}" for number in range(300)))
    wait_until(lambda: one.get("/failed")["total"] == 300, 10, "the letters are known")
    job_id = one.post("/failed/redrive", {"filter": {}, "rate": 10})["job_id"]
    is_under_way = lambda: (seen := other.ask("GET", f"/jobs/{job_id}")).ok and seen.json()["done"] > 0  # noqa: E731 (shorter here)
    wait_until(is_under_way, 5, "the other sees the job's progress")
    other.post(f"/jobs/{job_id}/cancel")
    for client in (one, other):
        job = wait_until(
            lambda c=client: found if (found := c.get(f"/jobs/{job_id}"))["state"] != "running" else None,
            15,
            "the job is over",
        )
        assert job["state"] == "cancelled"
        assert 0 < job["done"] < 300


def test_the_history_goes_on_when_the_one_that_writes_is_killed(pair, publisher):
    one, other = clients(pair)
    pair[0].kill()
    receipt = publisher.queue_message(PHONE, "text")
    wait_until(lambda: other.ask("GET", f"/messages/{receipt.message_id}").ok, 10, "the other writes now")
    del one


def test_a_session_of_one_is_known_to_the_other_beside_it(pair):
    token = pair[0].token(Role.ADMIN, "budi")
    login = requests.post(
        f"{pair[0].url}/admin/whatsapp-queue/login", data={"token": token}, allow_redirects=False, timeout=60
    )
    cookie = login.cookies.get("antrian_session")
    answer = requests.get(f"{pair[1].url}/admin/whatsapp-queue/me", cookies={"antrian_session": cookie}, timeout=60)
    shares = pair[0].settings.antrian_home == pair[1].settings.antrian_home
    assert answer.status_code == (200 if shares else 401)
