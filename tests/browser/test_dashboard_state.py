"""The page tells the truth or nothing, calmly: while a queue drains, while the broker is away, at each press."""

import re

import axe
import pytest
from browser_client import DESK, Visitor
from lane_with_admin import open_stage
from playwright.sync_api import expect
from pydantic import SecretStr
from tcp_proxy import proxy_before

from admin_api.auth.roles import Role
from publisher import Publisher
from waiting import wait_until

SMALL = {"width": 390, "height": 844}
#: What runs behind a page costs more than a second window.
BOTH = (DESK, SMALL)

#: Milliseconds of draining that are watched.
WATCHED = 8_000

_WATCH_SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { window.shifts += entry.value; }))
        .observe({type: 'layout-shift'});
    window.differed = 0;
    new MutationObserver(() => { if (document.body.textContent.includes('history differ')) window.differed += 1; })
        .observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def test_nothing_jumps_and_no_alarm_flashes_while_a_queue_drains(window, stage):
    with Publisher(stage.admin.settings, source="registration") as publisher:
        list(publisher.queue_messages([(f"0812{number:08d}", "Halo") for number in range(10_000_000, 10_000_200)]))
    pages = [window(viewport=size, reduced_motion="no-preference").log_in(Role.OPERATOR).page for size in BOTH]
    stage.start_consumer(WHATSAPP_QUEUE_DELAY="0.3")
    for page in pages:
        expect(sent_in(page).first).to_be_visible()
        page.evaluate(_WATCH_SHIFTS)
    pages[0].wait_for_timeout(WATCHED)
    for page in pages:
        assert page.evaluate("window.shifts") < 0.1
        assert page.evaluate("window.differed") == 0
        # All is well, and it was drawn all the while.
        expect(page.locator('link[rel="icon"]')).to_have_attribute("href", re.compile("logo.svg$"))
        expect(sent_in(page).nth(5)).to_be_visible()


def sent_in(page):
    return page.locator("#feed li", has_text="sent in")


@pytest.fixture
def wire(broker_url):
    with proxy_before(broker_url) as proxy:
        yield proxy


@pytest.fixture
def cut_off(settings, wire, tmp_path):
    """A stage whose way to the broker can be shut."""
    ours = settings.model_copy(update={"amqp_url": SecretStr(wire.through(settings.amqp_urls[0]))})
    with open_stage(ours, tmp_path) as opened:
        yield opened


def test_every_page_says_in_one_sentence_that_the_broker_is_away(browser, cut_off, wire, axe_script):
    visitors = [Visitor(browser, cut_off.admin, viewport=size).log_in(Role.ADMIN) for size in BOTH]
    for visitor in visitors:
        expect(visitor.page.locator("#stream")).to_have_text("No consumer")
        expect(visitor.page.locator("#budget")).to_contain_text("counted anew")
    wire.shut()
    for visitor in visitors:
        everything_says_that_the_broker_is_away(visitor, axe_script)
    wire.open()
    for visitor in visitors:
        expect(visitor.page.locator("#stream")).to_have_text("No consumer")
        expect(visitor.page.locator("#headline")).to_have_text("No consumer is running")
        expect(visitor.page.get_by_role("button", name="Pause")).to_be_enabled()
        assert visitor.trouble == []
        visitor.close()


def everything_says_that_the_broker_is_away(visitor, axe_script):
    page = visitor.page
    expect(page.locator("#headline")).to_have_text(re.compile("The broker has not answered since"))
    expect(page.locator("#stream")).to_have_text("Broker away")
    expect(page).to_have_title(re.compile("^✕ Broker away . Dashboard"))
    expect(page.locator('link[rel="icon"]')).to_have_attribute("href", re.compile("^data:image/svg"))
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.locator("#budget")).not_to_contain_text("counted anew")
    page.get_by_role("button", name="Pause").click(force=True)
    expect(page.locator(".toast")).to_have_text(re.compile("Not possible while the broker does not answer"))
    assert axe.violations(page, axe_script) == []

    for address in ("/desk", "/search", "/activity", "/planning"):
        visitor.go(address)
        expect(page.locator(".notice")).to_have_count(1)
        expect(page.locator(".notice")).to_contain_text("Messages are safe on its disk")
    visitor.go("/")
    expect(page.locator("#headline")).to_have_text(re.compile("^The broker "))
    expect(page.get_by_text("One moment …")).to_have_count(0)


def posts(page, path):
    """Every request that changes something, as it is made, if its path ends so."""
    made = []
    page.on("request", lambda request: request.method == "POST" and path in request.url and made.append(request.url))
    return made


def test_impatient_presses_act_once(window, scene):
    for viewport in BOTH:
        scene.api.post("/pause")
        visitor = window(viewport=viewport).log_in(Role.ADMIN)
        page = visitor.page
        made = posts(page, "/admin/whatsapp-queue/")
        page.get_by_label("More actions").click()
        place = page.get_by_role("button", name="Simulate 5 registrations").bounding_box()
        for _ in range(4):
            page.mouse.click(place["x"] + 20, place["y"] + 20, delay=20)
        expect(page.locator(".toast")).to_contain_text("5 registrations are in the queue")
        assert [url.rpartition("/")[2] for url in made] == ["simulate"]

        made.clear()
        # "Resume" and then, at the same place, "Pause".
        page.get_by_role("button", name="Resume").click(click_count=4, delay=20)
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        assert [url.rpartition("/")[2] for url in made] == ["resume"]
        visitor.close()


def test_one_of_a_paused_lane_is_one_and_the_lane_stays_paused(window, scene):
    for viewport in BOTH:
        visitor = window(viewport=viewport).log_in(Role.OPERATOR)
        page = visitor.page
        expect(page.get_by_role("button", name="Send the next now")).to_have_count(0)
        before = scene.api.get("/status")["queue_length"]
        page.get_by_role("button", name="Send exactly one").click(click_count=3, delay=20)
        expect(page.locator(".toast")).to_contain_text("Sending stays paused.")
        wait_until(lambda left=before - 1: scene.api.get("/status")["queue_length"] == left, 30, "one of them went out")
        expect(page.locator("#headline")).to_have_text("Paused")
        assert scene.api.get("/status")["paused"] is True
        visitor.close()


def test_an_empty_lane_says_so_on_its_button_too(window):
    page = window().log_in(Role.OPERATOR).page
    button = page.get_by_role("button", name="Send the next now")
    expect(button).to_have_attribute("aria-disabled", "true")
    made = posts(page, "/force-process")
    button.click(force=True)
    expect(page.locator(".toast")).to_contain_text("No consumer is running.")
    assert made == []


def test_what_is_wrong_with_a_field_stands_beside_it(window, axe_script):
    visitor = window(viewport=SMALL).log_in(Role.OPERATOR)
    page = visitor.page
    page.keyboard.press("t")
    field = page.get_by_label("Phone number")
    field.fill("0812")
    page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("^[A-Z]"))
    assert axe.violations(page, axe_script) == []
    # The browser itself reports the refusal.
    assert [trouble for trouble in visitor.trouble if "422" not in trouble] == []
    visitor.trouble.clear()


def test_the_same_news_twice_is_one_toast(window):
    page = window().log_in(Role.VIEWER).page
    script = """address => import(address).then(({toast}) => {
        for (const number of [1, 2, 3]) toast('no broker', {bad: true});
    })"""
    page.evaluate(script, page.locator('link[rel="modulepreload"][href$="/toast.js"]').get_attribute("href"))
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast p")).to_have_text(re.compile("^No broker .3$"))
