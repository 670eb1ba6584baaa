"""The record of who asked for what, with a real broker that may be away."""

import time
from urllib.parse import urlsplit

import pytest
from tcp_proxy import TcpProxy, proxy_before

from admin_api.auth.audit import AuditTrail
from admin_api.auth.audit_entry import ANONYMOUS, AuditEntry
from antrian.broker.connection import open_channel
from antrian.broker.node.ports import free_port
from waiting import wait_until


def entry(number, actor="api:ani"):
    return AuditEntry(time.time(), actor, "admin", "POST /clear", f"/clear/{number}", 200)


def targets(stock, name="audit.allowed"):
    return [event.details["target"] for event in stock.events(name)]


@pytest.fixture
def later(broker_url):
    """A port that nobody listens on yet, the broker's address by way of it, and the broker's own port."""
    port = free_port()
    own = urlsplit(broker_url).port
    return port, broker_url.replace(f":{own}/", f":{port}/"), own


def test_deeds_are_in_the_journal_in_their_order(stock):
    trail = AuditTrail(stock.settings, stock.settings.amqp_urls)
    trail.start()
    for number in range(20):
        trail.record(entry(number))
    trail.stop(60)
    assert targets(stock) == [f"/clear/{number}" for number in range(20)]
    first = stock.events("audit.allowed")[0]
    assert (first.source, first.details["action"], first.details["status"]) == ("api:ani", "POST /clear", 200)


def test_what_waits_when_the_process_ends_is_still_written(stock):
    trail = AuditTrail(stock.settings, stock.settings.amqp_urls)
    for number in range(5):
        trail.record(entry(number))
    for _ in range(7):
        trail.record(entry("x", ANONYMOUS))
    trail.start()
    trail.stop(60)
    assert len(targets(stock)) == 5
    # One a second, and the count of the others with the next one: where it is cut depends on the machine.
    others = [event.details.get("more", 0) for event in stock.events("audit.denied")]
    assert others[0] == 0
    assert len(others) < 7
    assert len(others) + sum(others) == 7


def test_a_cut_connection_loses_no_deed(stock, broker_url):
    with proxy_before(broker_url) as wire:
        trail = AuditTrail(stock.settings, (wire.through(broker_url),))
        trail.start()
        trail.record(entry("before"))
        wait_until(lambda: not trail.waiting, 5, "the first entry is written")
        wire.shut()
        trail.record(entry("after"))
        wire.open()
        wait_until(lambda: not trail.waiting, 10, "the second entry is written")
        trail.stop(60)
    assert targets(stock) == ["/clear/before", "/clear/after"]


def test_deeds_wait_for_the_broker_up_to_a_bound_and_the_log_counts_the_others(stock, later, capsys):
    port, url, own = later
    trail = AuditTrail(stock.settings, (url,), most_waiting=3)
    trail.start()
    for number in range(5):
        trail.record(entry(number))
    assert trail.waiting == 3
    proxy = TcpProxy(own, port)
    try:
        wait_until(lambda: not trail.waiting, 10, "what was kept is written")
        trail.stop(60)
    finally:
        proxy.close()
    assert targets(stock) == ["/clear/0", "/clear/1", "/clear/2"]
    logged = capsys.readouterr()
    assert "audit.dropped" in logged.out + logged.err


def test_without_a_broker_the_end_is_not_held_up_and_the_loss_is_said(settings, later, capsys):
    trail = AuditTrail(settings, (later[1],))
    trail.start()
    trail.record(entry(1))
    began = time.monotonic()
    trail.stop(timeout=3)
    # The broker never comes: whoever waited for it would wait for ever.
    assert time.monotonic() - began < 60
    logged = capsys.readouterr()
    assert "audit.lost" in logged.out + logged.err


def test_an_exchange_and_a_journal_that_come_late_are_waited_for(stock, capsys):
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.exchange_delete(stock.names.events)
    trail = AuditTrail(stock.settings, stock.settings.amqp_urls)
    trail.start()
    trail.record(entry(1))
    said = []
    wait_until(lambda: said.append(capsys.readouterr().out) or "no exchange" in "".join(said), 10, "it is missed")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.exchange_declare(stock.names.events, "topic", durable=True)
        wait_until(
            lambda: said.append(capsys.readouterr().out) or "not lead to a journal yet" in "".join(said),
            10,
            "it is missed",
        )
        channel.queue_bind(stock.names.journal, stock.names.events, "#")
    wait_until(lambda: not trail.waiting, 10, "the entry is written")
    trail.stop(60)
    assert targets(stock) == ["/clear/1"]
