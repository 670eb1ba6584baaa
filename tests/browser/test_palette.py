"""One field for everything, lists by keyboard, the health page, and a test that is sent later."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import axe
import pytest
from admin import AdminServer
from browser_client import DESK, choose
from demo_lane import Scene
from lane_with_admin import Stage, open_shared_stage
from playwright.sync_api import Page, expect

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX
from waiting import wait_until

PHONE = {"width": 390, "height": 844}
BOTH = pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])


@pytest.fixture(scope="module")
def stage(broker_url, tmp_path_factory) -> Iterator[Stage]:
    """One for all tests here: the one that lets the lane go on is the last."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(stage: Stage) -> AdminServer:
    return stage.admin


@pytest.fixture(scope="module")
def scene(stage: Stage) -> Scene:
    return stage.play()


def field(page: Page):
    return page.get_by_role("combobox", name="Search messages, pages and actions")


def active(page: Page):
    """The option that Enter would take."""
    return page.locator("#palette [role=option][aria-selected=true]")


@BOTH
def test_everything_is_found_from_every_page(window, scene, axe_script, viewport):
    visitor = window(viewport=viewport).log_in(Role.ADMIN, "ani")
    page = visitor.go("/activity")
    page.get_by_role("button", name="Search and commands").click()
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Search and commands")).to_be_focused()
    # Not a letter of what follows the slash is lost.
    page.keyboard.type("/pendaftaran")
    expect(field(page)).to_have_value("pendaftaran")
    expect(active(page)).to_contain_text("Pendaftaran Anda")
    expect(field(page)).to_have_attribute("aria-activedescendant", active(page).get_attribute("id") or "")
    assert axe.violations(page, axe_script) == []
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PREFIX}/message/{scene.sent}")


@BOTH
def test_rows_are_gone_through_ticked_and_opened_by_keyboard(window, scene, viewport):
    page = window(viewport=viewport).log_in(Role.OPERATOR, "dewi").go("/desk")
    rows = page.locator("#letters tbody tr")
    page.keyboard.type("jjk")
    expect(rows.first.get_by_role("link")).to_be_focused()
    page.keyboard.press("x")
    expect(rows.first.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("x")
    expect(rows.first.get_by_role("checkbox")).not_to_be_checked()
    page.keyboard.press("j")
    # Nothing is re-driven: it is asked about.
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Re-drive")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("1 selected")).to_be_visible()
    assert scene.api.get("/failed")["total"] == 2
    # Where somebody types, these are letters.
    page.keyboard.type("/jxr")
    expect(field(page)).to_have_value("jxr")
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PREFIX}/desk/*")


def test_search_shows_what_matched_and_keeps_its_place_when_news_comes(window, scene):
    visitor = window().log_in(Role.ADMIN, "ani")
    page = visitor.go("/search?phone_number=081234569001")
    expect(page.get_by_label("Number, key, ID, source or text")).to_have_value("081234569001")
    expect(page.locator("#found")).to_have_text("3 messages, newest first")
    expect(page.locator("#results mark").first).to_have_text("812-3456-9001")
    page = visitor.go("/search?q=menunggu%2C")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first.locator("mark")).to_have_text("menunggu")
    page.keyboard.press("j")
    focused = rows.first.get_by_role("link").get_attribute("href")
    scene.api.post("/send-test", {"phone_number": "081234567890", "message": "menunggu, juga"})
    wait_until(lambda: len(scene.api.get("/messages", q="menunggu,")["items"]) == 4, 20, "it is in the history")
    module = page.locator("script[src$='app.js']").get_attribute("src").replace("app.js", "news.js")
    page.evaluate("address => import(address).then(news => news.tell('event', {name: 'message.queued'}))", module)
    expect(rows).to_have_count(4)
    assert page.evaluate("document.activeElement.getAttribute('href')") == focused
    page.locator("#filters [name=source]").select_option("send-test")
    expect(rows).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert "menunggu, juga" in download.value.path().read_text()


@BOTH
@pytest.mark.usefixtures("scene")
def test_the_health_page_says_what_is_wrong_and_looks_again(window, axe_script, viewport):
    page = window(viewport=viewport).log_in(Role.VIEWER).go("/health")
    expect(page.locator("#verdict")).to_contain_text("warning")
    expect(page.locator(".finding[data-state=warning]").first).to_contain_text("→")
    expect(page.locator("#facts")).to_contain_text("sandbox: nothing reaches WhatsApp")
    before = page.locator("#looked-at time").get_attribute("datetime")
    assert axe.violations(page, axe_script) == []

    def looks_again() -> bool:
        page.get_by_role("button", name="Check again").click()
        expect(page.locator("#again")).not_to_have_attribute("aria-busy", "true")
        return page.locator("#looked-at time").get_attribute("datetime") != before

    wait_until(looks_again, 30, "it was looked at again")


@BOTH
@pytest.mark.usefixtures("scene")
def test_a_test_is_sent_later_and_wrong_times_are_told_at_their_field(window, axe_script, scene, viewport):
    visitor = window(viewport=viewport, timezone_id="Asia/Jakarta").log_in(Role.OPERATOR)
    page = visitor.page
    choose(page, "Send a test …")
    dialog = page.get_by_role("dialog", name="Send a test")
    dialog.get_by_label("Phone number").fill("0812 3456 7890")
    for choice in dialog.get_by_text("at a time").all():
        choice.click()
    later, soon = datetime.now() + timedelta(days=3), datetime.now() + timedelta(days=2)  # noqa: DTZ005 (as a field has it)
    dialog.get_by_label("Send at").fill(later.strftime("%Y-%m-%dT07:30"))
    dialog.get_by_label("Not sent after").fill(soon.strftime("%Y-%m-%dT07:30"))
    expect(dialog.locator("#deliver-at-words")).to_contain_text("at 07:30")
    expect(dialog.get_by_text("(GMT+7)").first).to_be_visible()
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_label("Not sent after")).to_be_focused()
    expect(dialog.locator("#expires-at-words")).to_have_text("The message would expire before it may be sent.")
    assert axe.violations(page, axe_script) == []
    dialog.get_by_text("never").click()
    before = scene.api.get("/status")["scheduled"]
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_be_hidden()
    wait_until(lambda: scene.api.get("/status")["scheduled"] == before + 1, 20, "the test is in the history")
    records = scene.api.get("/messages", source="send-test", state="scheduled")["items"]
    # Half past seven in Jakarta is half past midnight UTC.
    due = datetime.fromisoformat(later.strftime("%Y-%m-%dT00:30+00:00")).timestamp()
    assert records[0]["state"] == "scheduled"
    assert abs(records[0]["due_at"] - due) < 60
    assert records[0]["expires_at"] is None


@pytest.mark.usefixtures("scene")
def test_the_palette_leads_to_pages_and_dialogs_and_does_what_the_role_may(window, admin):
    visitor = window().log_in(Role.OPERATOR, "dewi")
    page = visitor.go("/desk")
    page.keyboard.press("Control+k")
    page.keyboard.type("send a test")
    expect(active(page)).to_contain_text("Send a test …")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Send a test")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("clear")
    expect(active(page)).to_contain_text("This needs the role “admin”.")
    page.keyboard.press("Enter")
    expect(page.locator("#clear-dialog")).to_be_hidden()
    field(page).fill("resume")
    expect(active(page)).to_have_text("Resume")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sending goes on.")).to_be_visible()
    client = admin.client(Role.VIEWER)
    wait_until(lambda: not client.get("/status")["paused"], 20, "the lane goes on")
    page.keyboard.press("/")
    page.keyboard.type("health")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PREFIX}/health")
