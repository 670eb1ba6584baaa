"""A real Prometheus reads a running system: every query of every panel, alert and rule has data there.

A query with a misspelt name is no error, it just never has a value: an alert that cannot fire, a panel that stays
empty. Only data prove the opposite.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import dashboards
import programs
import promql
import pytest
import requests
import rulebook
import runbook
from cli import Cli
from live_system import BUSY, CALM, CALM_SENDER, LiveSystem, live_system
from node_tools import rabbitmqctl

from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.sandbox.behaviour import Mode, ModeName
from publisher import InvalidMessage, Unroutable
from waiting import elapsed, wait_until

#: How a number ends decides what the sandbox does with it.
REFUSED, FAILS, FAILS_TWICE, THROTTLED = (f"08123456{number}" for number in ("9001", "9002", "9003", "{}9004"))

#: Commands of the runbooks that change nothing; `status` is another.
_LOOKS = {("history", "search"), ("dead", "list"), ("topology", "plan")}

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """One for all tests: the healthy one comes first, and the last one makes trouble."""
    with live_system(tmp_path_factory.mktemp("ops")) as running:
        wait_until(lambda: not running.prometheus.targets_that_fail(), 120, "Prometheus reads everything", every=0.5)
        yield running


def test_a_healthy_system_has_no_alert_not_even_a_pending_one(system: LiveSystem) -> None:
    for number in range(10):
        system.publisher.queue_message(f"0812345678{number}", "Halo", priority="high" if number % 2 else "normal")
    wait_until(lambda: len(system.sandbox.record.arrivals()) == 10, 60, "all are sent")
    wait_until(lambda: not system.prometheus.alerts(), 120, "what the start looked like is forgotten", every=0.5)

    wait_until(_stays_quiet(system, 15), 120, "it stays quiet", every=0.5)

    assert system.prometheus.rules_that_fail() == []


def _stays_quiet(system: LiveSystem, seconds: float) -> Callable[[], bool]:
    """A condition that holds once there was no alert for so long; a busy machine may miss a scrape before that."""
    since = time.monotonic()

    def condition() -> bool:
        nonlocal since
        if system.prometheus.alerts():
            since = time.monotonic()
        return time.monotonic() - since >= seconds

    return condition


def test_prometheus_finds_nothing_to_criticise_in_what_our_processes_tell(system: LiveSystem) -> None:
    targets = [one for one in system.prometheus.ask("targets")["activeTargets"] if "antrian" in one["scrapePool"]]

    assert len(targets) == 5
    for target in targets:
        programs.run("promtool", "check", "metrics", given=requests.get(target["scrapeUrl"], timeout=60).content)


def test_what_the_runbooks_tell_people_to_look_at_is_there(system: LiveSystem) -> None:
    looks = [command for command in runbook.commands() if command.words[:2] in _LOOKS or command.words[0] == "status"]
    typed = sorted({command.words for command in looks if "--watch" not in command.words})
    cli = Cli(system.settings)
    message_id = system.publisher.queue_message("081234567890", "Halo").message_id  # alone it finds an empty system
    wait_until(lambda: message_id in cli.run("history", "search", "--json").stdout, 60, "the history has a message")
    with ThreadPoolExecutor(4) as threads:
        answers = dict(
            zip(typed, threads.map(lambda words: cli.run(*words, WHATSAPP_QUEUE_LANES=BUSY), typed), strict=True)
        )

    assert {words: answer.stderr for words, answer in answers.items() if answer.returncode} == {}
    for command in looks:
        shown = answers[command.words].stdout if command.fields else ""
        assert [field for field in command.fields if f'"{field}"' not in shown] == [], command


def test_every_query_of_panels_alerts_and_rules_returns_data_and_trouble_is_noticed(system: LiveSystem) -> None:
    _let_everything_happen(system)

    panels = {query.expression: str(query) for query in dashboards.panel_queries()}
    alerts = {part: f"{rule.name}: {part}" for rule in rulebook.alerts() for part in promql.signals(rule.expression)}
    recordings = {
        text: f"{rule.name}: {text}" for rule in rulebook.recordings() for text in (rule.expression, rule.name)
    }
    queries = panels | alerts | recordings
    missing = system.prometheus.without_data(queries, 120)

    assert [queries[query] for query in missing] == []
    assert system.prometheus.rules_that_fail() == []
    for selector, label in dashboards.looked_up_labels():
        assert any(label in series for series in system.prometheus.ask("series", **{"match[]": selector})), selector
    _make_it_worse(system)
    noticed = {
        "AntrianBreakerOpen",
        "AntrianBrokerMemoryAlarm",
        "AntrianDeadLettersGrowing",
        "AntrianNoStandby",
        "AntrianPublishFailing",
    }
    wait_until(lambda: noticed <= system.prometheus.alerts().keys(), 120, f"{noticed} are pending or firing", every=1)
    is_firing = lambda: system.prometheus.alerts().get("AntrianBrokerMemoryAlarm") == "firing"  # noqa: E731 (shorter here)
    wait_until(is_firing, 20, "the broker's alarm is told without a delay")
    assert "AntrianGapViolated" not in system.prometheus.alerts()


def _let_everything_happen(system: LiveSystem) -> None:
    """Messages of each priority that are sent, repeated, given up, paused; then a provider that is away."""
    publish = system.publisher.queue_message
    for priority in ("low", "normal", "high", "urgent"):
        publish("081234567890", "Halo", priority=priority)
    for number in (*[REFUSED] * 8, FAILS, FAILS_TWICE, THROTTLED.format(0)):
        publish(number, "Halo")
    for _ in range(3):
        with pytest.raises(Unroutable):
            publish("081234567890", "Halo", lane="nowhere")
    with pytest.raises(InvalidMessage):
        publish("no number", "Halo")
    system.client.post(f"/pause?lane={CALM}")
    publish("081234567890", "Halo", lane=CALM)
    _hold(system, publish("081234567891", "Halo", lane=CALM).message_id)
    _deliver(system, "first")
    system.client.get("/status", lane=CALM)
    assert system.client.ask("GET", "/messages/unknown").status_code == 404
    _wait_until_counted(system, 'sum(antrian_messages_total{end="dead"}) >= 9')
    _wait_until_throttled(system)
    _wait_until_counted(system, 'sum(antrian_messages_total{end="sent"}) >= 6')
    # A rate needs a count that grew since Prometheus saw it first.
    _wait_until_counted(system, 'sum(antrian_deliveries_total{status="failed"}) >= 1')
    _deliver(system, "later")
    system.sandbox.record.mode = Mode(ModeName.DOWN)
    publish("081234567890", "Halo")
    _wait_until_counted(system, "max(antrian_breaker_open) == 1")


def _hold(system: LiveSystem, message_id: str) -> None:
    """Have it on record that a message is held because WhatsApp refuses new contacts, and what a lane has used."""
    now = time.time()
    counts = {"hour": 1, "day": 2, "cold": 1}
    held = {"reason": "cold_held", "until": now + 7_200, "due_at": now + 7_200, "rule": "cold_refused"}
    refused = {"failure_class": "cold_refused", "cold_held_until": now + 7_200, "cold": True, "code": "463"}
    told = {
        "failed": refused | {"recipient": "+62812345678", "sender": CALM_SENDER},
        "held": held,
        "barrier": {"used": counts, "budget": counts, "warm_up_day": None},
    }
    events = [Event(f"outcome.{name}", now, CALM, message_id, 0, 1, "c1", details) for name, details in told.items()]
    _write(system, events)


def _deliver(system: LiveSystem, when: str) -> None:
    """Have it on record that a provider took messages some hours ago, and what it says of them now."""
    now = time.time()
    arrived, lost, silent = (f"{name} {when}" for name in ("arrived", "lost", "silent"))
    sent = [
        Event("outcome.sent", now - 10_000, CALM, name, 0, 1, "c1", {"provider_id": name, "provider": "sandbox"})
        for name in (arrived, lost, silent)
    ]
    failure = {"failure_class": FailureClass.REJECTED, "code": "131026"}
    told = (
        DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id=arrived, at=now),
        DeliveryReceipt(status=ReceiptStatus.FAILED, provider_id=lost, **failure),
    )
    about = {"lane": CALM, "provider": "sandbox", "sender": CALM_SENDER, "at": now, "source": "receipts"}
    _write(system, [*sent, *(reported(one, **about) for one in told)])


def _write(system: LiveSystem, events: Iterable[Event]) -> None:
    with open_channel(system.settings.amqp_urls, name="test") as channel:
        for event in events:
            write_event(channel, Names(system.settings.whatsapp_queue_namespace), event)


def _wait_until_throttled(system: LiveSystem) -> None:
    """A lane is held for five seconds, in which Prometheus may have other things to do: then another message is."""
    numbers, pause = count(1), elapsed(20)

    def is_counted() -> bool:
        nonlocal pause
        if pause():
            system.publisher.queue_message(THROTTLED.format(next(numbers)), "Halo")
            pause = elapsed(20)
        return system.prometheus.has_data('max(antrian_lane_held{reason="throttled"}) == 1')

    wait_until(is_counted, 120, "a lane is held because the provider throttles", every=0.5)


def _make_it_worse(system: LiveSystem) -> None:
    system.consumers[1].kill()
    rabbitmqctl(system.node, "set_vm_memory_high_watermark", "absolute", "1000000")


def _wait_until_counted(system: LiveSystem, what: str) -> None:
    wait_until(lambda: system.prometheus.has_data(what), 120, what, every=0.5)
