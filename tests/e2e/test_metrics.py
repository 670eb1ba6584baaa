"""What Prometheus reads of real processes fits what happened, and holds nothing personal."""

import socket
import time

import pytest
import requests
from exposition import Exposition, promtool_complaints
from factories import PHONE
from processes import ConsumerProcess
from tcp_proxy import proxy_before

from admin_api.auth.roles import Role
from antrian.broker.node.ports import free_port
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import wait_until

DELAY = 0.4

#: What dashboards and alerts ask the admin side for; the publisher's are there because it publishes, too.
ADMIN_NAMES = {
    "antrian_messages",
    "antrian_queue_depth",
    "antrian_dead_letters",
    "antrian_dead_letters_by_reason",
    "antrian_dead_letters_near_retention",
    "antrian_lane_paused",
    "antrian_lane_paused_since_timestamp_seconds",
    "antrian_lane_consumers",
    "antrian_broker_up",
    "antrian_history_lag_seconds",
    "antrian_history_offset",
    "antrian_history_difference",
    "antrian_http_requests_total",
    "antrian_http_request_duration_seconds",
    "antrian_build_info",
    "antrian_published_total",
    "antrian_publish_confirm_seconds",
    "antrian_publish_in_flight",
}


class Scraped:
    """A consumer, and what it exposes."""

    def __init__(self, process: ConsumerProcess, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def now(self) -> Exposition:
        return Exposition.of(f"{self.url}/metrics")

    def wait_for(self, value: float, name: str, **labels: str) -> Exposition:
        return wait_until(
            lambda: seen if (seen := self.now()).value(name, **labels) == value else None,
            15,
            f"{name}{labels} is {value}",
        )


@pytest.fixture
def scraped(consumer):
    def start(**more: str) -> Scraped:
        port = free_port()
        settings = {"WHATSAPP_QUEUE_DELAY": str(DELAY), "CONSUMER_METRICS_PORT": str(port)}
        return Scraped(consumer(**settings | more), port)

    return start


def test_the_numbers_fit_what_happened(scraped, publisher, arrivals):
    # All before the first send, so that the last one has waited for the others.
    for number, priority in enumerate(("high", "normal", "low")):
        publisher.queue_message(PHONE, f"rahasia {number}", priority=priority, idempotency_key=f"invoice-{number}")
    dead = publisher.queue_message("+6281234569001", "not on WhatsApp")
    ours = scraped()
    arrivals.wait_for(4, 15)
    ours.wait_for(1, "antrian_messages_total", end="dead")
    seen = ours.wait_for(3, "antrian_messages_total", end="sent")

    assert seen.value("antrian_sends_total", outcome="sent", provider="sandbox", lane="default") == 3
    assert seen.value("antrian_sends_total", outcome="rejected", priority="normal") == 1
    assert {p: seen.value("antrian_sends_total", priority=p) for p in ("high", "normal", "low")} == {
        "high": 1,
        "normal": 2,
        "low": 1,
    }
    assert seen.value("antrian_send_duration_seconds_count") == 4
    assert seen.value("antrian_send_gap_seconds_count") == 3
    assert seen.value("antrian_send_gap_seconds_bucket", le=str(DELAY * 0.99)) == 0
    assert seen.value("antrian_send_gap_seconds_sum") >= 3 * DELAY
    assert seen.value("antrian_send_gap_violations_total") == 0
    assert seen.value("antrian_message_wait_seconds_count", priority="high") == 1
    assert seen.value("antrian_message_wait_seconds_sum", priority="low") >= DELAY
    assert seen.value("antrian_message_attempts_count") == 4
    assert seen.value("antrian_consumer_active") == 1
    assert seen.value("antrian_broker_connected") == 1
    assert seen.value("antrian_ledger_entries") == 4
    assert seen.value("antrian_delay_seconds") == DELAY
    last = seen.value("antrian_last_send_timestamp_seconds")
    assert arrivals.times()[0] < last
    assert seen.value("antrian_next_send_timestamp_seconds") >= arrivals.times()[-1] + DELAY - 0.01
    assert promtool_complaints(seen.text) == ""
    secrets = ("rahasia", PHONE[3:], "6281234569001", "invoice", dead.message_id, "WhatsApp\n")
    assert not [secret for secret in secrets if secret in seen.text]


def test_a_scheduled_message_waits_from_its_time_on_and_its_retries_wait_on(scraped, cli, arrivals, records):
    began = time.time()
    ours = scraped(WHATSAPP_QUEUE_RETRY_DELAYS="1")
    cli.say("publish", PHONE, "on time", "--at", "+10s", "--priority", "high")
    cli.say("publish", "+6281234569003", "fails twice", "--at", "+10s", "--priority", "low")
    seen = ours.wait_for(2, "antrian_messages_total", end="sent")

    assert min(arrivals.times()) >= began + 10 - 0.05
    events = {event.attempt: event for event in records.wait_for_event("outcome.sent", count=2)}
    assert all(began + 10 <= event.details["due_at"] <= event.at for event in events.values())
    # A wait from publishing on would be 10 s longer than what lies between its time and the record of its end.
    longest = {"high": events[1].at - events[1].details["due_at"], "low": events[3].at - events[3].details["due_at"]}
    assert seen.value("antrian_message_wait_seconds_count", priority="high") == 1
    assert seen.value("antrian_message_wait_seconds_sum", priority="high") <= longest["high"]
    assert seen.value("antrian_message_wait_seconds_count", priority="low") == 1
    assert 2 <= seen.value("antrian_message_wait_seconds_sum", priority="low") <= longest["low"]


def test_a_pause_shows_and_ends(scraped, cli):
    ours = scraped()
    cli.say("pause")
    seen = ours.wait_for(1, "antrian_consumer_paused")
    assert seen.value("antrian_lane_state", state="paused") == 1
    cli.say("resume")
    ours.wait_for(0, "antrian_consumer_paused")
    ours.wait_for(1, "antrian_lane_state", state="waiting")


def test_a_provider_that_is_down_opens_the_breaker_until_it_is_back(scraped, publisher, sandbox):
    ours = scraped()
    sandbox.record.mode = Mode(ModeName.DOWN)
    publisher.queue_message(PHONE, "text")
    seen = ours.wait_for(1, "antrian_breaker_open")
    assert seen.value("antrian_sends_total", outcome="unavailable") >= 1
    ours.wait_for(1, "antrian_lane_held", reason="unavailable")
    sandbox.record.mode = Mode(ModeName.OK)
    ours.wait_for(1, "antrian_messages_total", end="sent")
    ours.wait_for(0, "antrian_breaker_open")
    ours.wait_for(0, "antrian_lane_held", reason="unavailable")


def test_an_urgent_message_in_the_pause_is_no_violation(scraped, publisher, arrivals):
    ours = scraped(WHATSAPP_QUEUE_DELAY="60")
    publisher.queue_message(PHONE, "normal")
    arrivals.wait_for(1, 10)
    publisher.send_message(PHONE, "one-time password")
    seen = ours.wait_for(2, "antrian_messages_total", end="sent")
    assert seen.value("antrian_send_gap_seconds_bucket", le="30.0") == 1
    assert seen.value("antrian_send_gap_violations_total") == 0


def test_a_standby_takes_over_and_says_so(scraped, publisher, arrivals):
    first = scraped()
    first.wait_for(1, "antrian_consumer_active")
    second = scraped()
    publisher.queue_message(PHONE, "one")
    arrivals.wait_for(1, 10)
    first.wait_for(1, "antrian_messages_total", end="sent")
    seen = second.wait_for(1, "antrian_lane_state", state="standby")
    assert seen.value("antrian_consumer_active") == 0
    assert seen.value("antrian_sends_total") == 0
    # The standby knows of the other's send, and counts none of it.
    second.wait_for(first.now().value("antrian_last_send_timestamp_seconds"), "antrian_last_send_timestamp_seconds")
    assert second.now().value("antrian_messages_total") == 0
    first.process.kill()
    second.wait_for(1, "antrian_consumer_active")
    publisher.queue_message(PHONE, "two")
    second.wait_for(1, "antrian_messages_total", end="sent")


def test_what_an_admin_cleared_is_counted_once(scraped, publisher, cli):
    first = scraped(WHATSAPP_QUEUE_DELAY="600")
    first.wait_for(1, "antrian_consumer_active")
    second = scraped(WHATSAPP_QUEUE_DELAY="600")
    for number in range(3):
        publisher.queue_message(PHONE, f"text {number}")
    first.wait_for(1, "antrian_messages_total", end="sent")
    cli.say("clear", "--yes")
    first.wait_for(2, "antrian_messages_total", end="cleared")
    assert second.now().value("antrian_messages_total", end="cleared") == 0


def test_health_follows_the_connection_to_the_broker(scraped):
    ours = scraped()
    assert requests.get(f"{ours.url}/healthz", timeout=60).status_code == 200


def test_a_busy_port_ends_the_consumer_at_its_start(scraped, lane, tmp_path):
    ours = scraped()
    port = ours.url.rpartition(":")[2]
    second = ConsumerProcess(lane, tmp_path / "second.log", CONSUMER_METRICS_PORT=port).start()
    assert second.process is not None
    assert second.process.wait(60) == 1
    assert f"127.0.0.1:{port} for the consumer's metrics cannot be used" in second.log()
    assert "Traceback" not in second.log()
    assert ours.process.process is not None
    assert ours.process.process.poll() is None


def test_a_stopped_consumer_leaves_no_server(scraped):
    ours = scraped()
    assert ours.process.terminate() == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(ours.url.rpartition(":")[2])))


def test_a_consumer_without_a_broker_is_not_well(broker_url, lane, tmp_path):
    port, log = free_port(), tmp_path / "consumer.log"
    with (
        proxy_before(broker_url) as wire,
        ConsumerProcess(lane, log, AMQP_URL=wire.through(broker_url), CONSUMER_METRICS_PORT=str(port)) as process,
    ):
        ours = Scraped(process, port)
        ours.wait_for(1, "antrian_broker_connected")
        wire.shut()
        seen = ours.wait_for(0, "antrian_broker_connected")
        assert seen.value("antrian_lane_state", state="disconnected") == 1
        assert seen.value("antrian_consumer_active") == 0
        assert requests.get(f"{ours.url}/healthz", timeout=60).status_code == 503


def test_the_admin_side_exposes_every_name_and_true_numbers(admin, publisher, cli, consumer, records):
    dead = publisher.queue_message("+6281234569001", "rahasia")
    sender = consumer()
    records.wait_for_dead_letters(1)
    assert sender.terminate() == 0
    for priority in ("high", "high", "low"):
        publisher.queue_message(PHONE, "rahasia", priority=priority, idempotency_key=f"invoice-{priority}")
    cli.say("pause")

    seen = wait_until(
        lambda: (
            found
            if (found := Exposition.of(f"{admin.url}/metrics")).value("antrian_queue_depth") == 3
            and found.value("antrian_lane_paused") == 1
            and found.value("antrian_dead_letters_by_reason") == 1
            and found.value("antrian_history_lag_seconds") < 5
            else None
        ),
        15,
        "the history has all of it",
    )
    assert seen.names() >= ADMIN_NAMES
    assert seen.value("antrian_queue_depth", lane="default", priority="high") == 2
    assert seen.value("antrian_messages", lane="default", state="waiting") == 3
    assert seen.value("antrian_dead_letters") == 1
    assert seen.value("antrian_dead_letters_by_reason", failure_class="rejected") == 1, seen.text
    assert seen.value("antrian_dead_letters_near_retention") == 0
    assert seen.value("antrian_lane_paused_since_timestamp_seconds") > 1_000_000_000
    assert seen.value("antrian_lane_consumers") == 0
    assert seen.value("antrian_broker_up") == 1
    assert seen.value("antrian_history_difference", state="waiting") == 0
    assert seen.value("antrian_history_difference", state="failed") == 0
    assert promtool_complaints(seen.text) == ""
    assert not [secret for secret in ("rahasia", PHONE[3:], "69001", "invoice", dead.message_id) if secret in seen.text]


def test_a_strange_method_or_address_makes_no_series_of_its_own(admin):
    for number in range(3):
        requests.request(f"ODD{number}", f"{admin.url}/nowhere/{number}", timeout=60)
        requests.get(f"{admin.url}/admin/whatsapp-queue/messages/m-{number}", timeout=60)

    def counted():
        found = Exposition.of(f"{admin.url}/metrics")
        return found if found.value("antrian_http_requests_total", method="other") == 3 else None

    seen = wait_until(counted, 5, "all three are counted")
    assert not [text for text in ("ODD", "nowhere", "m-1") if text in seen.text]


def test_what_comes_in_over_http_is_counted_as_published(admin):
    service = admin.client(Role.PUBLISHER)
    service.post("//messages", {"phone_number": PHONE, "message": "rahasia"})
    seen = Exposition.of(f"{admin.url}/metrics")
    assert seen.value("antrian_published_total", outcome="accepted") == 1
    assert seen.value("antrian_publish_confirm_seconds_count") == 1
    assert seen.value("antrian_publish_in_flight") == 0
