"""The users of `antrian.broker.definitions`, on a real broker: each can do its work, and nothing else.

On the node of this machine, and on RabbitMQ 4.3 in a container (marked, for `make test-containers`).
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from admin import AdminServer, Client
from arrivals import Arrivals
from broker_with_users import GuardedBroker, broker_container, definitions_of, guarded_node, import_into, new_passwords
from callback_receiver import SECRET, receiving
from cli import Cli
from factories import make_message
from processes import ConsumerProcess
from pydantic import SecretStr
from receipts_server import ReceiptsServer
from records import Records
from signed_reader import inbound_body, status_body

from admin_api.auth.roles import Role
from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.broker.node.private_node import PrivateNode
from antrian.broker.stream.lookup import first_from
from antrian.broker.topology import Exchange, Names, topology
from antrian.domain.delay_ladder import LADDER_LEVELS, ladder_key
from antrian.domain.errors import BrokerRefused
from antrian.domain.event_name import EventName
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.headers import mark_held
from antrian.domain.message import encode
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.domain.settings import Settings, load_settings
from antrian.operations.lane.release_filter import ReleaseFilter
from antrian.operations.lane.release_job import release_now
from antrian.sandbox.server import SandboxServer
from publisher import Publisher
from waiting import wait_until

NAMES = Names()
LATER = ladder_key(3600, "default")


@pytest.fixture(scope="module")
def base() -> Settings:
    return load_settings({"WHATSAPP_QUEUE_DELAY": "0.2", "WHATSAPP_QUEUE_RETRY_DELAYS": "1"})


@pytest.fixture(scope="module", params=["node", pytest.param("container", marks=pytest.mark.containers)])
def guarded(request: pytest.FixtureRequest, base: Settings) -> Iterator[GuardedBroker]:
    """A broker that has imported the definitions of the default namespace."""
    if request.param == "container":
        passwords = new_passwords()
        with broker_container(os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4.3-management")) as (container, where):
            import_into(container, definitions_of(base, passwords))
            yield GuardedBroker(where, passwords, f"amqp://guest:guest@{where}/%2F")
        return
    with tempfile.TemporaryDirectory(prefix="antrian-test-", ignore_cleanup_errors=True) as home:
        node = PrivateNode(Path(home))
        node.start(tied_to_parent=True)
        try:
            yield guarded_node(node, base, Path(home))
        finally:
            node.stop()


@pytest.fixture
def provider() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def as_role(
    guarded: GuardedBroker, base: Settings, provider: SandboxServer, tmp_path: Path
) -> Callable[[str], Settings]:
    ours = base.model_copy(update={"whatsapp_api_url": provider.url, "antrian_home": tmp_path / "home"})
    return lambda role: guarded.settings(role, ours)


@pytest.fixture
def sender(as_role: Callable[[str], Settings], tmp_path: Path) -> Iterator[ConsumerProcess]:
    with ConsumerProcess(as_role("consumer"), tmp_path / "consumer.log") as process:
        yield process


def test_a_publisher_publishes_urgently_for_later_and_waits_for_an_outcome(as_role, sender, provider):
    with Publisher(as_role("publisher"), source="test", confirm_timeout=60) as publisher:
        publisher.queue_message("081234567890", "normal")
        publisher.queue_message("081234567890", "in 1 s", deliver_at=datetime.now(UTC) + timedelta(seconds=1))
        # The bell cuts the pause short: the consumer was told by the control exchange.
        assert publisher.send_message("081234567890", "urgent", timeout=60).status == "sent"
        wait_until(lambda: "urgent" in sender.log(), 10, "the consumer was told")
    assert set(Arrivals(provider).wait_for(3, 15)) == {"normal", "in 1 s", "urgent"}


@pytest.mark.usefixtures("sender")
def test_a_publisher_and_an_admin_import_a_file(as_role, provider, tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text("phone_number,message\n081234567890,imported\n")
    cli_of_admin = Cli(as_role("admin"))
    first = Cli(as_role("publisher")).run("import", str(file))
    assert (first.returncode, "1 message is in the queue now." in first.stdout) == (0, True), first.stderr
    assert "It is not known what an earlier import queued (this user may not read the journal)" in first.stderr
    Arrivals(provider).wait_for(1, 15)
    assert cli_of_admin.json("import", str(file))["new"] == 0


def test_a_consumer_sends_retries_and_gives_up(as_role, sender, provider):
    with Publisher(as_role("publisher"), source="test", confirm_timeout=60) as publisher:
        publisher.queue_message("081234569003", "fails twice")
        publisher.queue_message("081234569001", "not on WhatsApp")
    Arrivals(provider).wait_for(4, 20)
    wait_until(lambda: "message.dead" in sender.log(), 10, "the other one is dead")
    assert "broker.gone" not in sender.log(), "nothing was refused on the way"


def test_an_admin_looks_pauses_clears_redrives_and_undoes(as_role, sender, provider, tmp_path):
    with AdminServer(as_role("admin"), tmp_path / "admin.log") as server:
        client = server.ready().client(Role.ADMIN)
        client.post("/send-test", {"phone_number": "081234569001", "message": "dies"})
        dead = dead_letter(client, "dies")
        assert client.post("/pause")["paused"]
        wait_until(lambda: '"reason": "paused"' in sender.log(), 10, "the consumer holds nothing")
        waiting = client.post("/send-test", {"phone_number": "081234567890", "message": "waits"})["message_id"]
        cleared = client.post("/clear", {"scope": "queued"})
        assert cleared["cleared_queued"] == 1
        wait_until(lambda: client.get(f"/messages/{waiting}")["state"] == "cleared", 10, "the history has it")
        assert client.post(f"/undo/{cleared['undo_id']}")["restored"] == 1
        client.post(f"/failed/{dead}/redrive", {"phone_number": "081234567890", "priority": "urgent"})
        assert client.post("/try-one")["message_id"]
        assert client.get("/status")["paused"]
        assert not client.post("/resume")["paused"]
        assert set(Arrivals(provider).wait_for(3, 20)[1:]) == {"dies", "waits"}
        client.post("/send-test", {"phone_number": "081234569001", "message": "dies again"})
        purged = client.delete("/failed", {"ids": [dead_letter(client, "dies again")]})
        assert purged["purged"] == 1
        undo_ids = lambda: [one["undo_id"] for one in client.get("/undo")["items"]]  # noqa: E731 (shorter here)
        wait_until(lambda: purged["undo_id"] in undo_ids(), 10, "the history has it")
        assert client.post(f"/undo/{purged['undo_id']}")["restored"] == 1
        assert client.get("/audit")["items"]


def test_an_admin_works_on_reports_and_makes_callbacks(guarded, as_role, sender, tmp_path):
    del sender
    refuses = lambda path: 500 if path == "/refuses" else 204  # noqa: E731 (shorter here)
    with receiving(answer=refuses) as receiver:
        sources = f"shop={receiver.url}/shop,other={receiver.url}/refuses"
        about = {"CALLBACK_SOURCES": sources, "CALLBACK_SECRET": SECRET}
        with (
            AdminServer(as_role("admin"), tmp_path / "admin.log", **about) as server,
            Publisher(as_role("publisher"), source="shop", confirm_timeout=60) as publisher,
            open_channel(as_role("receipts").amqp_urls, name="test provider") as channel,
        ):
            client = server.ready().client(Role.ADMIN)
            names = {
                kind: publisher.queue_message("081234567890", kind.value).message_id
                for kind in (FailureClass.REJECTED, FailureClass.TRANSIENT)
            }
            wait_until(lambda: set(receiver.states()) == set(names.values()), 30, "both are handed over")
            for kind, message_id in (*names.items(), (FailureClass.REJECTED, "nobody")):
                told = DeliveryReceipt(
                    status=ReceiptStatus.FAILED, correlation_id=f"{message_id}:0:1", failure_class=kind, code="131026"
                )
                where = {"lane": "default", "provider": "sandbox", "sender": "628111"}
                write_event(channel, NAMES, reported(told, **where, at=time.time(), source="test"), must_be_kept=True)
            expected = {
                names[FailureClass.REJECTED]: {"handed_over", "failed", "dead"},
                names[FailureClass.TRANSIENT]: {"handed_over", "failed"},
            }
            wait_until(lambda: receiver.states() == expected, 30, "the service knows it all")
            assert dead_letter(client, "rejected") == names[FailureClass.REJECTED]
            publisher.queue_message("081234567890", "told in vain", source="other")
            wait_until(lambda: [1 for path, _, _ in receiver.got if path == "/refuses"], 30, "it was told in vain")
            ladder = lambda: '"message.undelivered"' in server.log() and delayed(guarded) >= 2  # noqa: E731
            wait_until(ladder, 30, "the stranger's receipt and the callback are on the ladder")
            assert "trouble" not in server.log(), "nothing was refused on the way"


def test_the_receipts_server_writes_what_it_is_told(guarded, as_role, base, tmp_path):
    with ReceiptsServer(as_role("receipts"), tmp_path / "receipts.log") as server:
        server.ready()
        for body in (
            status_body("wamid-1", correlation_id="m-9:0:1"),
            inbound_body("+6281234567890", "stop", identities={"lid": "7"}),
        ):
            assert server.post(body) == 200, server.log()
    journal = Records(base.model_copy(update={"amqp_url": SecretStr(guarded.root_url)}))
    told = {event.name for event in journal.events(stream=NAMES.journal)}
    assert told >= {"receipt.status", "receipt.inbound", "contact.known", "contact.linked", "contact.opted_out"}
    assert [event.message_id for event in journal.events("receipt.status")][-1] == "m-9", "the ledgers learn of it"


def delayed(guarded: GuardedBroker) -> int:
    with open_channel([guarded.root_url], name="test") as channel:
        rungs = (channel.queue_declare(NAMES.delay(level), passive=True) for level in range(LADDER_LEVELS))
        return sum(rung.method.message_count for rung in rungs)


def dead_letter(client: Client, text: str) -> str:
    """The id of the dead letter with that text, once it is there."""
    return str(
        wait_until(
            lambda: [one["message_id"] for one in client.get("/failed")["items"] if one["message"] == text],
            15,
            f"{text!r} is dead",
        )[0]
    )


FOR_ALL = {
    "make a queue": lambda channel: channel.queue_declare("other", durable=True),
    "make an exchange": lambda channel: channel.exchange_declare("other", "topic"),
    "change the topology": lambda channel: channel.queue_declare(NAMES.lane("other"), durable=True),
    "delete a lane": lambda channel: channel.queue_delete(NAMES.lane("default")),
    "delete the entrance": lambda channel: channel.exchange_delete(NAMES.messages),
    "unbind a lane": lambda channel: channel.queue_unbind(NAMES.lane("default"), NAMES.lane("default"), ""),
    "publish past the exchanges": lambda channel: channel.basic_publish("", NAMES.lane("default"), b"", mandatory=True),
    "publish to the broker's own exchange": lambda channel: channel.basic_publish("amq.topic", "x", b""),
    "publish where delayed messages come out": lambda channel: channel.basic_publish(NAMES.due, "default", b""),
}


def publishes(exchange: str, key: str) -> Callable[..., object]:
    return lambda channel: channel.basic_publish(exchange, key, b"{}", EVENT_PROPERTIES)


def reads(queue: str) -> Callable[..., object]:
    return lambda channel: channel.basic_consume(queue, lambda *_: None)


def listens(exchange: str, key: str) -> Callable[..., object]:
    def act(channel):
        own = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(own, exchange, key)

    return act


FORBIDDEN = {
    "publisher": FOR_ALL
    | {
        "read a lane": reads(NAMES.lane("default")),
        "read the dead letters": reads(NAMES.dead),
        "read the journal": reads(NAMES.journal),
        "read who is known": reads(NAMES.contacts),
        "say that somebody is known": publishes(NAMES.events, "contact.known.."),
        "empty a lane": lambda channel: channel.queue_purge(NAMES.lane("default")),
        "hear of all outcomes": listens(NAMES.events, "outcome.#"),
        "hear of everybody's messages": listens(NAMES.events, "outcome.*.default.*"),
        "hear of new messages": listens(NAMES.lane("default"), ""),
        "hear commands": listens(NAMES.control, ""),
        "invent an event": publishes(NAMES.events, "outcome.sent.default.x"),
        "invent a dead letter": publishes(NAMES.dead, "default"),
        "pause a lane": publishes(NAMES.states, "default"),
        "command a consumer": publishes(NAMES.control, ""),
        "use the ladder for an unknown lane": publishes(NAMES.scheduled, LATER.replace("default", "other")),
        "enter the ladder in the middle": publishes(NAMES.delay(3), LATER),
    },
    "consumer": FOR_ALL
    | {
        "publish a message": publishes(NAMES.messages, "default"),
        "schedule a message": publishes(NAMES.scheduled, LATER),
        "ring the bell": publishes(NAMES.urgent, ""),
        "command a consumer": publishes(NAMES.control, ""),
        "pause a lane": publishes(NAMES.states, "default"),
        "invent what an admin did": publishes(NAMES.events, "audit.allowed.default."),
        "read the dead letters": reads(NAMES.dead),
        "read the journal": reads(NAMES.journal),
        "hear of events": listens(NAMES.events, "#"),
        "make a lock": lambda channel: channel.queue_declare(NAMES.dead_lock, exclusive=True),
    },
    "admin": FOR_ALL
    | {
        "use the ladder for an unknown lane": publishes(NAMES.delay(3), LATER.replace("default", "other")),
        "use the ladder for another queue": publishes(NAMES.delay(3), LATER.replace("default", "_dead_callbacks")),
        "put a report past the ladder": publishes(NAMES.due, "released._receipts"),
        "have another queue bound": lambda channel: channel.queue_bind(NAMES.callbacks, NAMES.events, "outcome.#"),
        "hear commands": listens(NAMES.control, ""),
        "hear of new messages": listens(NAMES.messages, "default"),
    },
    "receipts": FOR_ALL
    | {
        "say that a message was sent": publishes(NAMES.events, "outcome.sent.default.x"),
        "take a send back": publishes(NAMES.events, "outcome.undelivered.default.x"),
        "invent what an admin did": publishes(NAMES.events, "audit.allowed.default."),
        "publish a message": publishes(NAMES.messages, "default"),
        "schedule a message": publishes(NAMES.scheduled, LATER),
        "invent a dead letter": publishes(NAMES.dead, "default"),
        "put a report past the events": publishes(NAMES.due, "released._receipts"),
        "command a consumer": publishes(NAMES.control, ""),
        "pause a lane": publishes(NAMES.states, "default"),
        "read the reports": reads(NAMES.receipts),
        "read the journal": reads(NAMES.journal),
        "read a lane": reads(NAMES.lane("default")),
        "hear of events": listens(NAMES.events, "#"),
        "have a queue of its own": lambda channel: channel.queue_declare("", exclusive=True),
    },
}


@pytest.mark.parametrize("role", FORBIDDEN)
def test_a_user_may_do_nothing_else(guarded, base, role):
    # One test, because each process that runs some of them starts a broker.
    urls = guarded.settings(role, base).amqp_urls
    answers = {deed: answer(urls, act) for deed, act in FORBIDDEN[role].items()}
    assert {deed: said for deed, said in answers.items() if "ACCESS_REFUSED" not in said} == {}


def answer(urls, act):
    """What the broker says to something that is done."""
    try:
        with open_channel(urls, name="test") as channel:
            act(channel)
    except BrokerRefused as refused:
        return str(refused)
    return "done"


@pytest.mark.parametrize("role", ["consumer", "admin"])
def test_a_consumer_and_an_admin_write_and_read_what_is_known_of_people(guarded, base, role):
    details = {"sender": "628114040707", "recipient": "+6281234567890", "cold": True}
    cold = Event(EventName.SENT, 1_000.0, "default", role, source="test", details=details)
    with open_channel(guarded.settings(role, base).amqp_urls, name="test") as channel:
        write_event(channel, NAMES, cold, must_be_kept=True)
        assert first_from(channel, NAMES.contacts, "first", 20) is not None


def test_an_admin_releases_what_is_held(guarded, as_role):
    body, properties = encode(make_message("held", lane="default"))
    properties.headers = mark_held(properties.headers, "cold_cap")
    with open_channel([guarded.root_url], name="test") as channel:
        channel.basic_publish(NAMES.ladder_entrance(3600), LATER, body, properties, mandatory=True)
    job = release_now(as_role("admin"), ReleaseFilter.of("default", ids={"held"}), "cli:ani")
    assert (job.state, job.done, job.detail) == ("done", 1, "")
    with open_channel([guarded.root_url], name="test") as channel:
        channel.queue_purge(NAMES.lane("default"))


@pytest.mark.parametrize("role", ["publisher", "consumer", "admin"])
def test_a_user_finds_nothing_missing_and_changes_nothing(guarded, base, role):
    with open_channel(guarded.settings(role, base).amqp_urls, name="test") as channel:
        found = topology_sync.apply(channel.connection, topology(base))
    assert {one.status for one in found} == {topology_sync.SyncStatus.UNCHECKED}


def test_a_user_who_may_make_nothing_is_told_what_is_missing(guarded, base):
    wanted = topology(base)
    more = type(wanted)(
        wanted.names, (*wanted.exchanges, Exchange("wa.delay.99", "topic")), wanted.queues, wanted.bindings
    )
    urls, told = (
        guarded.settings("consumer", base).amqp_urls,
        r"exchange wa\.delay\.99 is missing.*antrian topology apply",
    )
    with pytest.raises(BrokerRefused, match=told), open_channel(urls, name="test") as channel:
        topology_sync.apply(channel.connection, more)


def test_what_was_imported_is_what_the_topology_asks_for(guarded, base):
    with open_channel((guarded.root_url,), name="test") as channel:
        assert {one.status for one in topology_sync.plan(channel.connection, topology(base))} == {
            topology_sync.SyncStatus.SAME
        }


def test_a_wrong_password_is_refused(guarded, base):
    urls = tuple(url.replace("consumer:", "consumer:x") for url in guarded.settings("consumer", base).amqp_urls)
    with pytest.raises(BrokerRefused, match="refuses this user"), open_channel(urls, name="test"):
        pass
