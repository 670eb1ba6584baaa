"""The page of all that waits: one campaign is found, counted, cleared and put back."""

from collections.abc import Callable

import axe
import pytest
from admin import Client
from browser_client import DESK
from playwright.sync_api import Page, expect

from admin_api.auth.roles import Role
from publisher import Publisher
from waiting import wait_until

NARROW = {"width": 390, "height": 844}

#: Tells the page of an event, as its stream of news does.
_TELL = "() => import(document.querySelector('script[src$=\"app.js\"]').src.replace('app.js', 'news.js')).then(news => news.tell('event', {}))"  # noqa: E501


@pytest.fixture
def client(admin) -> Client:
    return admin.client(Role.ADMIN, "scene")


@pytest.fixture
def publish(stage, client) -> Callable[..., list[str]]:
    """Publish messages of one source, and wait until the history has them."""

    def published(source: str, count: int, **more: object) -> list[str]:
        before = client.get("/waiting/counts")["total"]
        with Publisher(stage.admin.settings, source=source, confirm_timeout=60) as publisher:
            made = [
                publisher.queue_message("081234567890", f"{source} {number}", **more).message_id
                for number in range(count)
            ]
        wait_until(lambda: client.get("/waiting/counts")["total"] == before + count, 20, "all are listed")
        return made

    return published


def dialog_of(page: Page):
    return page.get_by_role("dialog", name="Clear")


def test_a_campaign_by_mistake_is_found_cleared_and_put_back(window, client, publish, axe_script):
    publish("registration", 3, priority="high")
    publish("campaign", 4)
    for number, viewport in enumerate((DESK, NARROW), start=1):
        visitor = window(viewport=viewport).log_in(Role.ADMIN)
        page = visitor.go("/waiting")
        expect(page.locator("#waiting tbody tr")).to_have_count(7)
        assert axe.violations(page, axe_script) == []

        page.get_by_role("button", name="campaign 4").click()
        expect(page.locator("#waiting tbody tr")).to_have_count(4)
        page.get_by_role("button", name="Clear all of these …").click()
        expect(dialog_of(page).locator("#clear-part-count")).to_have_text("4 messages")
        assert axe.violations(page, axe_script) == []
        dialog_of(page).get_by_role("button", name="Clear 4 messages").dblclick()
        expect(page.get_by_text("4 messages cleared.")).to_be_visible()
        assert client.get("/waiting/counts")["sources"] == [{"source": "registration", "count": 3}]
        assert len(client.get("/undo")["items"]) == number

        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("4 messages are back.")).to_be_visible()
        wait_until(lambda: client.get("/waiting/counts")["total"] == 7, 20, "they wait again")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        visitor.close()


def test_picked_rows_stay_picked_and_in_their_place_while_others_come_and_go(window, client, publish):
    first, second, third = publish("registration", 3)
    page = window().log_in(Role.ADMIN).go("/waiting")
    row = page.locator("#waiting tbody tr").nth(1)
    row.get_by_role("checkbox").check()
    place = row.bounding_box()
    client.post("/clear", {"filter": {"ids": [third]}})
    publish("reminder", 2)
    page.evaluate(_TELL)
    expect(page.get_by_role("button", name="Show 2 more")).to_be_visible()
    expect(page.locator("#waiting tbody tr").first).to_contain_text("no longer waiting")
    expect(page.get_by_role("button", name="reminder 2")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#selected-count")).to_have_text("1 selected")
    assert row.bounding_box()["x"] == place["x"]

    page.get_by_role("button", name="Clear 1 …").click()
    dialog_of(page).get_by_role("button", name="Clear 1 message").click()
    expect(page.get_by_text("1 message cleared.")).to_be_visible()
    left = {one["message_id"] for one in client.get("/messages", state="waiting", source="registration")["items"]}
    assert left == {first}
    assert second not in left


def test_everything_that_matches_is_picked_at_once(window, client, publish):
    publish("campaign", 55)
    page = window().log_in(Role.ADMIN).go("/waiting")
    page.get_by_label("Select all on this page").check()
    expect(page.locator("#selected-count")).to_have_text("50 selected")
    page.get_by_role("button", name="Select all 55 that match").click()
    page.get_by_role("button", name="Clear 55 …").click()
    dialog_of(page).get_by_role("button", name="Clear 55 messages").click()
    expect(page.get_by_text("55 messages cleared.")).to_be_visible()
    expect(page.get_by_text("Nothing waits", exact=True)).to_be_visible()
    assert client.get("/waiting/counts")["total"] == 0


def test_a_viewer_looks_at_masked_numbers_and_clears_nothing(window, publish):
    publish("registration", 2)
    page = window().log_in(Role.VIEWER).go("/waiting")
    expect(page.locator("#waiting tbody tr")).to_have_count(2)
    expect(page.locator("#waiting tbody")).not_to_contain_text("1234-567890")
    expect(page.locator("#waiting tbody")).not_to_contain_text("registration 0")
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("button", name="registration 2").click()
    expect(page.get_by_role("button", name="Clear all of these …")).to_be_disabled()
    expect(page.get_by_text("Clearing needs the role “admin”.")).to_be_visible()
