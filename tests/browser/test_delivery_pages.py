"""What became of a message after it was handed over, on the pages and while one looks at them."""

import time
from collections.abc import Iterator

import axe
import pytest
from admin import AdminServer
from lane_with_admin import Stage, open_shared_stage
from past import tell_receipt, tell_the_past
from playwright.sync_api import expect

from admin_api.auth.roles import Role
from antrian.broker.connection import open_channel
from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES
from antrian.domain.receipt import SessionNotice, SessionState, reported
from waiting import wait_until

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MESSAGES = 60


@pytest.fixture(scope="module")
def stage(broker_url, tmp_path_factory) -> Iterator[Stage]:
    """One for all tests here."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as opened:
        tell_the_past(opened.settings, days=2, messages=MESSAGES)
        api = opened.admin.client(Role.ADMIN, "set-up")
        wait_until(
            lambda: (
                sum(one["delivered"] + one["failed"] for one in api.get("/analytics/report?period=7d")["providers"])
                > MESSAGES / 2
            ),
            60,
            "the history has read the past",
        )
        yield opened


@pytest.fixture(scope="module")
def admin(stage: Stage) -> AdminServer:
    return stage.admin


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_what_arrived_is_told_with_its_times(window, axe_script, viewport):
    visitor = window(viewport=viewport, timezone_id="Asia/Jakarta").log_in(Role.OPERATOR)
    page = visitor.go("/search?state=read")
    expect(page.locator("#results .tag").first).to_have_text("read")
    page.locator("#results tbody tr a").first.click()
    expect(page.locator(".message-title .tag")).to_have_text("read")
    timeline = page.locator(".life")
    expect(timeline).to_contain_text("Delivered 4 s after the provider took it")
    expect(timeline.locator("[data-name='receipt.delivered']")).to_have_count(1)
    found = axe.violations(page, axe_script)
    page = visitor.go("/search?state=failed")
    page.locator("#results tbody tr a").first.click()
    expect(page.locator(".trouble")).to_contain_text("Message undeliverable")
    page = visitor.go("/report?period=7d")
    expect(page.locator("#deliveries tbody tr").first).to_contain_text("waha")
    assert found + axe.violations(page, axe_script) == []


def test_what_arrives_is_shown_while_one_looks(window, stage):
    visitor = window(viewport=DESK, locale="id-ID").log_in(Role.OPERATOR)
    page = visitor.go("/search?state=handed_over")
    page.locator("#results tbody tr a").first.click()
    expect(page.locator(".message-title .tag")).to_have_text("diserahkan")
    provider_id = page.url.rsplit("/", 1)[-1]
    with open_channel(stage.settings.amqp_urls, name="test receipt") as channel:
        names = Names(stage.settings.whatsapp_queue_namespace)
        tell_receipt(channel, names, "delivered", provider_id, time.time())
    expect(page.locator(".message-title .tag")).to_have_text("sampai", timeout=30_000)


def test_what_a_provider_tells_of_the_sender_is_shown_in_plain_words(window, stage, axe_script):
    told = SessionNotice(state=SessionState.NEEDS_QR, detail="scan the code again")
    event = reported(told, lane="default", provider="waha", sender="62811", at=time.time(), source="receipts")
    with open_channel(stage.settings.amqp_urls, name="test notice") as channel:
        names = Names(stage.settings.whatsapp_queue_namespace)
        channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    api = stage.admin.client(Role.ADMIN, "look")
    wait_until(lambda: (api.get("/status")["session"] or {}).get("state") == "needs_qr", 30, "the status tells it")
    visitor = window(viewport=PHONE).log_in(Role.VIEWER)
    page = visitor.go("/activity")
    expect(page.locator("#told tbody tr")).to_contain_text("Sender waits for its QR code to be scanned")
    found = axe.violations(page, axe_script)
    page = visitor.go("/health")
    expect(page.locator("#facts")).to_contain_text("waits for its QR code to be scanned")
    assert found == []
