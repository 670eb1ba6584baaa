"""`antrian receipts` as a process, with a real broker: what is proved is in the journal before it is answered."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import requests
import signed_reader
from factories import PHONE
from receipts_server import ReceiptsServer
from records import Records
from tcp_proxy import proxy_before

from antrian.domain.events import Event
from antrian.domain.settings import Settings
from waiting import wait_until

StartServer = Callable[..., ReceiptsServer]


@pytest.fixture
def server(lane: Settings, tmp_path: Path) -> Iterator[StartServer]:
    """Start servers: `server()` for one with the lane's settings, `server(NAME="value")` for other settings."""
    with ExitStack() as running:
        numbers = count(1)

        def start(**more: str) -> ReceiptsServer:
            log = tmp_path / f"receipts-{next(numbers)}.log"
            return running.enter_context(ReceiptsServer(lane, log, **more)).ready()

        yield start


@pytest.fixture
def journal(records: Records) -> Callable[[str], list[Event]]:
    return lambda name: records.events(name, records.names.journal)


def ids_in(journal: Callable[[str], list[Event]]) -> list[str]:
    return [event.details["provider_id"] for event in journal("receipt.status")]


def begin_slowly(server: ReceiptsServer) -> socket.socket:
    """A request whose body never comes."""
    head = f"POST {signed_reader.path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1"
    slow = socket.create_connection(("127.0.0.1", server.port), 60)
    slow.sendall(head.encode())
    return slow


def test_only_what_is_proved_is_written_and_it_is_written_before_the_answer(server, journal, records: Records, lane):
    ours = server()
    slow = begin_slowly(ours)
    body = signed_reader.status_body("one")

    assert ours.post(body) == 200
    assert ids_in(journal) == ["one"]
    assert ours.post(body) == 200, "a repeat"
    assert ours.post(body, signed_reader.signed(body, "another-secret")) == 401
    assert ours.post(body, {"Content-Type": "application/json"}) == 401
    assert ours.post(body, path="/receipts/default/" + "0" * 32) == 404
    assert ours.post(body, path=signed_reader.path("nobody")) == 404
    assert ours.post(b" " * 600_000) == 413
    batch = json.loads(signed_reader.status_body("two", "three"))
    batch["told"].insert(1, {"kind": "status", "status": "sideways", "provider_id": "bad \ud800"})
    assert ours.post(json.dumps(batch).encode()) == 200
    assert ours.post(b"\xff{") == 200, "proved, and nobody can read it"
    written = signed_reader.inbound_body(PHONE, "Stop!", identities={"lid": "77"}, provider_id="in-1")
    assert ours.post(written) == 200
    question = {"hub.mode": "subscribe", "hub.verify_token": signed_reader.SECRET, "hub.challenge": "4711"}
    address = f"{ours.url}{signed_reader.path()}"
    answer = requests.get(address, params=question, timeout=30)
    assert (answer.status_code, answer.text) == (200, "4711")
    assert requests.get(address, params=question | {"hub.verify_token": "guess"}, timeout=30).status_code == 401
    assert [requests.head(one, timeout=30).status_code for one in (address, f"{ours.url}/")] == [200, 404]
    assert requests.put(address, timeout=30).status_code == 405

    assert ids_in(journal) == ["one", "two", "three"]
    assert len(journal("receipt.unreadable")) == 2
    [known], [opted], [linked] = (journal(f"contact.{what}") for what in ("known", "opted_out", "linked"))
    sender = f"sandbox:{lane.whatsapp_api_url}:"
    assert known.details == {"sender": sender, "how": "inbound", "recipients": [PHONE]}
    assert opted.details == {
        "recipient": PHONE, "purpose": "marketing", "words": "Stop!", "channel": "inbound", "by": PHONE
    }  # fmt: skip
    assert linked.details == {"recipient": PHONE, "identities": {"lid": "77"}}
    assert records.waiting(records.names.receipts) == 6
    with slow:
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")

    told, counted = ours.metrics(), {"lane": "default", "provider": "sandbox"}
    assert told.value("antrian_receipts_total", **counted, status="delivered") == 3
    assert told.value("antrian_receipts_duplicates_total", **counted) == 1
    assert told.value("antrian_receipts_forged_total", **counted) == 2
    assert told.value("antrian_receipts_unreadable_total", **counted) == 2
    assert ours.terminate() == 0
    log = ours.log()
    for private in (signed_reader.SECRET, signed_reader.path(), PHONE.lstrip("+"), "Stop!", "Traceback"):
        assert private not in log, log


def test_without_the_broker_it_says_503_and_nothing_is_lost_when_it_is_back(server, journal, lane: Settings):
    with proxy_before(lane.amqp_urls[0]) as proxy:
        ours = server(AMQP_URL=proxy.through(lane.amqp_urls[0]))
        assert ours.post(signed_reader.status_body("before")) == 200
        proxy.shut()
        wait_until(lambda: ours.status_of("readyz") == 503, 30, "the server has noticed")
        refused = [f"during {number}" for number in range(5)]
        assert {ours.post(signed_reader.status_body(one)) for one in refused} == {503}
        assert ours.status_of("healthz") == 200
        proxy.open()
        wait_until(lambda: ours.status_of("readyz") == 200, 30, "it is connected again")
        assert {ours.post(signed_reader.status_body(one)) for one in refused} == {200}
        # A broker that does not answer: after the stated time the provider is told to repeat.
        proxy.freeze(answers_only=True)
        assert ours.post(signed_reader.status_body("frozen")) == 503
        proxy.thaw()
        wait_until(lambda: ours.post(signed_reader.status_body("frozen")) == 200, 30, "it goes on")
        assert set(ids_in(journal)) == {"before", "frozen", *refused}


def test_what_a_provider_repeats_until_it_is_taken_is_in_the_journal_whenever_the_server_is_killed(server, journal):
    ours = server()
    bodies = {f"wamid-{number}": signed_reader.status_body(f"wamid-{number}") for number in range(300)}
    left, taken, repeated = list(bodies), set(), []

    def provide() -> None:
        with requests.Session():
            while left:
                one = left.pop()
                try:
                    status = ours.post(bodies[one])
                except requests.RequestException:
                    status = 0
                if status == 200:
                    taken.add(one)
                else:
                    repeated.append(status)
                    left.append(one)

    providers = [threading.Thread(target=provide) for _ in range(4)]
    for thread in providers:
        thread.start()
    for enough in (60, 140):
        wait_until(lambda enough=enough: len(taken) >= enough, 60, "so many are taken", every=0)
        ours.kill()
        ours.ready()
    for thread in providers:
        thread.join(120)
    assert taken == set(bodies)
    assert repeated, "it was killed in the middle"
    assert set(ids_in(journal)) == set(bodies)


def test_a_secret_is_replaced_without_a_restart_and_without_losing_a_receipt(server, journal, tmp_path: Path):
    lanes, secrets, new = tmp_path / "lanes.toml", tmp_path / "secrets", "the-secret-that-follows"
    secrets.write_text(signed_reader.SECRET)
    lanes.write_text('[lanes.default]\nprovider = "sandbox"\nwebhook_secrets_file = "secrets"\n')
    ours = server(WHATSAPP_QUEUE_LANES_FILE=str(lanes))
    later = signed_reader.path(secret=new)

    def with_new(one: str) -> int:
        body = signed_reader.status_body(one)
        return ours.post(body, signed_reader.signed(body, new), later)

    assert [ours.post(signed_reader.status_body("old 1")), with_new("new 0")] == [200, 404]
    secrets.write_text(f"{signed_reader.SECRET}\n{new}\n")
    wait_until(lambda: with_new("new 1") == 200, 20, "the new one counts")
    assert ours.post(signed_reader.status_body("old 2")) == 200
    secrets.write_text("secret\n")
    wait_until(lambda: "lanes.wrong" in ours.log(), 20, "a weak one is refused")
    assert [ours.post(signed_reader.status_body("old 3")), with_new("new 2")] == [200, 200]
    secrets.write_text(f"{new}\n")
    wait_until(lambda: ours.post(signed_reader.status_body("old 4")) == 404, 20, "the old one counts no more")
    assert with_new("new 3") == 200
    assert set(ids_in(journal)) >= {"old 1", "old 2", "old 3", "new 1", "new 2", "new 3"}


def test_the_addresses_are_printed_once_for_each_secret(cli):
    variables = {"WHATSAPP_WEBHOOK_SECRET": f"{signed_reader.SECRET},another-secret"}
    listed = cli.json("receipts", "urls", RECEIPTS_PUBLIC_URL="https://wa.example.com/", **variables)["webhooks"]
    secrets = (signed_reader.SECRET, "another-secret")
    assert [one["url"] for one in listed] == [f"https://wa.example.com{signed_reader.path(secret=s)}" for s in secrets]
    assert "RECEIPTS_PUBLIC_URL is not set" in cli.say("receipts", "urls", **variables)


def test_it_starts_only_with_secrets_that_can_be_trusted(cli):
    for secret, reason in (("", "no lane has a webhook secret"), ("secret", "is a word that everyone knows")):
        run = cli.run("receipts", WHATSAPP_WEBHOOK_SECRET=secret)
        assert run.returncode == 2
        assert reason in run.stderr
