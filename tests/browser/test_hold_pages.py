"""Holds, opt-outs and the plan on their pages: in plain words, for those who may act, silent when nobody knows."""

import re
import time
from collections.abc import Iterator

import axe
import pytest
from browser_client import DESK, Visitor
from lane_with_admin import Stage, open_shared_stage
from playwright.sync_api import Page, Route, expect
from queue_fixture import Stock, ids

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX
from antrian.broker.connection import open_channel
from waiting import wait_until

SMALL = {"width": 390, "height": 844}
BOTH = (DESK, SMALL)

AWAY = {"title": "The broker does not answer", "status": 503, "detail": "x", "code": "broker-away", "since": 1}


@pytest.fixture(scope="module")
def stage(broker_url, tmp_path_factory) -> Iterator[Stage]:
    """One for all tests here; its lane has no consumer, so that what is held stays so."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as opened:
        yield opened


def holds(now: float) -> dict:
    """A new number on its third day that WhatsApp does not let write to strangers."""
    return {
        "lane": "default",
        "lane_hold": None,
        "reasons": [
            {
                "reason": "cold_held",
                "count": 214,
                "next_release": now + 11_600,
                "last_release": now + 11_600,
                "rule": "cold_refused",
            },
            {
                "reason": "warm_up",
                "count": 1240,
                "next_release": now + 90_000,
                "last_release": now + 900_000,
                "rule": "warm_up 20x1.5..100 day 3: 45",
            },
            {"reason": "pace", "count": 12, "next_release": None, "last_release": None, "rule": None},
        ],
        "budget": {
            "hour": {"used": 38, "cap": 0, "left": None},
            "day": {"used": 311, "cap": 1000, "left": 689},
            "cold": {"used": 45, "cap": 45, "left": 0},
            "warm_up": {"day": 3, "caps": [20, 30, 45, 68, 100]},
            "resets_at": now + 30_000,
        },
        "cold_held_until": now + 11_600,
        "history": {},
    }


def answer(page: Page, path: str, value: object, status: int = 200) -> list[Route]:
    """Have the page's questions to an address answered so; those that were asked."""
    asked: list[Route] = []

    def fulfil(route: Route) -> None:
        asked.append(route)
        route.fulfill(status=status, json=value)

    page.route(re.compile(re.escape(PREFIX + path) + r"(\?|$)"), fulfil)
    return asked


def without_news(page: Page) -> None:
    """The page asks for the status every few seconds."""
    page.route(re.compile(re.escape(PREFIX + "/events")), lambda route: route.fulfill(status=204))


def overflow(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_what_holds_a_lane_is_told_and_released_after_a_question(window, axe_script):
    job = {"job_id": "j1", "state": "running", "selected": 1240, "done": 620, "detail": ""}
    for viewport in BOTH:
        visitor: Visitor = window(viewport=viewport).log_in(Role.OPERATOR, f"dewi-{viewport['width']}")
        page = visitor.go("/login")
        answer(page, "/holds", holds(time.time()))
        released = answer(page, "/holds/release", {"job_id": "j1"}, 202)
        answer(page, "/jobs/j1", job)
        visitor.go("/")
        expect(page.locator("[data-line=day]")).to_contain_text("689 of 1,000 left")
        caps = "New contacts a day while the number warms up: 20, 30, 45, 68, 100. Today is day 3."
        expect(page.get_by_role("img", name=caps)).to_be_visible()
        expect(page.locator(".hold-row[data-reason=pace]").get_by_role("button")).to_have_count(0)
        row = page.locator(".hold-row[data-reason=warm_up]")
        expect(row).to_contain_text("1,240")
        expect(row).to_contain_text("new contacts a day: 20 at first, 1.5 times as many each day, at most 100")
        assert axe.violations(page, axe_script) == []
        assert overflow(page) == 0
        row.get_by_role("button", name="Release: number is warming up").click()
        dialog = page.get_by_role("dialog", name="Release held messages")
        expect(dialog).to_contain_text("the rest is held again, with a new time")
        assert axe.violations(page, axe_script) == []
        dialog.get_by_role("button", name="Cancel").click()
        assert released == []

    card = page.get_by_role("region", name="WhatsApp refuses new contacts from this number")
    expect(card).to_contain_text("They are tried again")
    card.get_by_role("button", name="Try again now …").click()
    dialog = page.get_by_role("dialog", name="Try new contacts again now")
    expect(dialog).to_contain_text("can get the number banned")
    dialog.get_by_role("button", name="Release").dblclick(delay=20)
    expect(page.locator(".hold-row[data-reason=cold_held]")).to_contain_text("620 of 1,240 released")
    assert [one.request.post_data_json for one in released] == [{"reason": "cold_held"}]
    job |= {"state": "done", "done": 1240}
    expect(page.get_by_text("1,240 messages are back in the queue.")).to_be_visible()


def test_nobody_releases_who_may_not_and_without_a_broker_nothing_is_foretold(window):
    visitor: Visitor = window().log_in(Role.VIEWER)
    page = visitor.go("/login")
    without_news(page)
    answer(page, "/holds", holds(time.time()))
    visitor.go("/")
    button = page.get_by_role("button", name="Release: number is warming up")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", re.compile("operator"))
    expect(page.get_by_role("button", name="Try again now …")).to_be_disabled()
    expect(page.locator("#holds")).to_contain_text("next")
    answer(page, "/status", AWAY, 503)
    expect(page.locator("#stream")).to_have_text("Broker away")
    expect(page.locator("#cold-hold")).to_be_hidden()
    expect(page.locator("#holds")).to_contain_text("1,240")
    expect(page.locator("#holds")).not_to_contain_text("next")
    expect(page.locator("#budget")).not_to_contain_text("counted anew")
    # What the browser itself says about answers that were not to be had.
    visitor.trouble.clear()


PLAN = {
    "lane": "default",
    "messages": 1,
    "seconds": {"p50": 183_600, "p90": 190_800},
    "held": [{"reason": "warm_up", "messages": 280, "seconds": 172_800}],
    "senders_needed": 3,
    "weeks": [{"week": week, "sent": sent} for week, sent in enumerate((420, 700, 700, 700), 1)],
    "assumptions": [],
}


def test_a_plan_is_made_before_anything_is_queued(window, axe_script):
    now = time.time()
    for viewport in BOTH:
        visitor: Visitor = window(viewport=viewport).log_in(Role.OPERATOR, f"budi-{viewport['width']}")
        page = visitor.go("/login")
        without_news(page)
        asked = answer(page, "/plan", PLAN | {"finish": {"p50": now + 183_600, "p90": now + 190_800}})
        visitor.go("/import")
        file = {"name": "pesan.csv", "mimeType": "text/csv", "buffer": b"nomor;pesan\n081234567890;Halo\n"}
        page.locator("#file").set_input_files(file)
        expect(page.locator("#forecast")).to_contain_text("Probably done")
        expect(page.locator("#forecast")).to_contain_text("The deadline takes 3 senders.")
        assert "messages=1" in asked[-1].request.url
        assert axe.violations(page, axe_script) == []

        page.get_by_role("link", name="With a deadline, or with new contacts …").click()
        page.wait_for_url("**/planning?**")
        visitor.settle()
        expect(page.get_by_label("How many messages")).to_have_value("1")
        with page.expect_request(re.compile("cold=0.4")):
            page.get_by_label("New contacts among them, in percent").fill("40")
            page.keyboard.press("Enter")
        expect(page.get_by_role("list", name="What a new number would send of them")).to_contain_text("Week 4")
        assert axe.violations(page, axe_script) == []
        assert overflow(page) == 0
    answer(page, "/status", AWAY, 503)
    expect(page.locator("#answer")).to_contain_text("There is no plan at the moment.")
    visitor.trouble.clear()


@pytest.fixture
def held(stage, admin) -> Stock:
    """Three messages outside their sending hours, as the consumer leaves them: off the lane, and on the ladder."""
    stock, client = Stock(stage.settings, is_declared=True), admin.client(Role.VIEWER)
    names = ("m1", "m2", "m3")
    stock.add_waiting(*names)
    wait_until(lambda: client.get("/waiting/counts")["total"] == len(names), 20, "the history knows them")
    with open_channel(stage.settings.amqp_urls, name="test") as channel:
        channel.queue_purge(stock.names.lane("default"))
    stock.add_held(*names, reason="window", seconds=7200)
    ends = time.time() + 7200
    for name in names:
        rule = "window low=08:00-20:00 Asia/Jakarta"
        stock.tell("outcome.held", name, reason="window", until=ends, due_at=ends, rule=rule)
    wait_until(lambda: client.get("/status")["held"] == len(names), 20, "they are held")
    return stock


def test_held_messages_are_released_from_the_page_and_their_own_page_says_why_they_waited(
    window, held, admin, axe_script
):
    small = window(viewport=SMALL).log_in(Role.VIEWER).go("/message/m1")
    expect(small.locator(".life li").last).to_contain_text("Rule: priority low: 08:00\N{EN DASH}20:00")
    assert axe.violations(small, axe_script) == []
    assert overflow(small) == 0
    visitor: Visitor = window().log_in(Role.OPERATOR, "sari")
    page = visitor.go("/message/m1")
    why = page.get_by_role("region", name="Why is it not sent yet?")
    expect(why).to_contain_text("Messages of this priority are sent at certain hours only; its turn comes ")
    expect(why).to_contain_text("priority low: 08:00\N{EN DASH}20:00, time of Jakarta")
    expect(page.locator(".life li").last).to_contain_text("Held: outside sending hours")
    visitor.go("/waiting")
    expect(page.locator("#waiting tbody tr .live-state").first).to_have_text("outside sending hours")

    visitor.go("/")
    expect(page.locator('[data-counter="held"] .counter-number')).to_have_text("3")
    page.get_by_role("button", name="Release: outside sending hours").click()
    page.get_by_role("dialog", name="Release held messages").get_by_role("button", name="Release").click()
    expect(page.get_by_text("3 messages are back in the queue.")).to_be_visible()
    expect(page.locator(".hold-row[data-reason=window]")).to_have_count(0)
    assert ids(held.in_lane()) == ["m1", "m2", "m3"]
    assert held.delayed() == 0
    assert [job["options"]["kind"] for job in admin.client(Role.VIEWER).get("/jobs")["items"]] == ["release"]
    visitor.go("/activity")
    expect(page.locator("#jobs")).to_contain_text("3 messages released")


def test_an_opt_out_is_recorded_found_and_taken_back_with_its_proof(window, admin, axe_script):
    visitor: Visitor = window().log_in(Role.OPERATOR, "tuti")
    page = visitor.go("/opt-outs")
    expect(page.get_by_text("Nobody has opted out")).to_be_visible()
    page.get_by_role("button", name="Add …").click()
    dialog = page.get_by_role("dialog", name="Add an opt-out")
    expect(dialog).to_be_visible()
    assert axe.violations(page, axe_script) == []
    dialog.get_by_label("Phone number").fill("0812-3456-7890")
    dialog.get_by_label("What the person said").fill("Tolong jangan kirim iklan lagi")
    dialog.get_by_role("button", name="Add").dblclick(delay=20)
    row = page.locator("#optouts tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("advertising")
    expect(row).to_contain_text("“Tolong jangan kirim iklan lagi”")
    expect(row).to_contain_text("tuti, on this page")
    assert axe.violations(page, axe_script) == []

    looking: Visitor = window(viewport=SMALL).log_in(Role.VIEWER)
    masked = looking.go("/opt-outs?phone_number=081234567890")
    expect(masked.locator("#optouts tbody tr")).to_contain_text("+62 812-••••-7890")
    expect(masked.get_by_role("button", name="Add …")).to_be_disabled()
    expect(masked.get_by_role("button", name="Remove: +62 812-••••-7890, advertising")).to_be_disabled()

    assert axe.violations(masked, axe_script) == []
    assert overflow(masked) == 0
    assert overflow(looking.go("/contact/081234567890")) == 0

    row.get_by_role("link", name="+62 812-3456-7890").click()
    page.wait_for_url("**/contact/**")
    visitor.settle()
    expect(page.locator("#senders")).to_contain_text("new contact")
    assert axe.violations(page, axe_script) == []
    page.get_by_role("button", name="Remove: +62 812-3456-7890, advertising").click()
    dialog = page.get_by_role("dialog", name="Remove the opt-out")
    expect(dialog).to_contain_text("Only remove it when the person asked for it.")
    dialog.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Opted out of nothing")).to_be_visible()
    assert admin.client(Role.VIEWER).get("/optouts")["total"] == 0
