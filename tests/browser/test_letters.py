"""Dead letters and messages under people's hands: nothing twice, nothing by surprise, and all of it in sight."""

import time

import axe
import pytest
from admin import AdminServer
from browser_client import DESK, Visitor
from lane_with_admin import Stage
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from queue_fixture import Stock
from tcp_proxy import proxy_before

from admin_api.auth.roles import Role
from waiting import wait_until

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def stock(stage: Stage) -> Stock:
    """What is in the broker, for tests that put it there themselves."""
    return Stock(stage.settings)


def give_up(stock: Stock, *ids: str, failure_class: str = "rejected", code: str = "not-on-whatsapp") -> None:
    """Dead letters, and what the consumer tells of them."""
    for one in ids:
        stock.tell("outcome.sending", one)
        stock.tell("outcome.failed", one, failure_class=failure_class, code=code, detail=f"about {one}")
    stock.add_dead(*ids, failure_class=failure_class, code=code)
    for one in ids:
        stock.tell("outcome.dead", one, generation=1, code=code, detail=f"about {one}")


def wait_for_letters(admin: AdminServer, count: int) -> None:
    client = admin.client(Role.ADMIN, f"reader-of-{count}")
    wait_until(lambda: client.get("/failed")["total"] == count, 20, f"{count} letters are listed", every=0.1)


def tell_page(page: Page, kind: str, news: object) -> None:
    """Some news from the server's stream, through the page's own module for it."""
    script = """([kind, news]) => {
        const app = document.querySelector('script[src$="/app.js"]').src;
        return import(app.replace('/app.js', '/news.js')).then((module) => { module.tell(kind, news); });
    }"""
    page.evaluate(script, [kind, news])


def test_nine_impatient_clicks_redrive_once_and_cancel_nothing(window, scene):
    page = window().log_in(Role.OPERATOR, "dewi").go(f"/desk/{scene.dead}")
    button = page.get_by_role("button", name="Re-drive", exact=True)
    box = button.bounding_box()
    assert box is not None
    for _ in range(9):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(150)
    expect(page.locator(".message-title .tag")).to_have_text("waiting")
    names = [one["name"] for one in scene.api.get(f"/messages/{scene.dead}")["life"]]
    assert (names.count("outcome.redriven"), "outcome.cancelling" in names) == (1, False)
    assert page.locator(".toast.bad").count() == 0
    assert page.locator("dialog[open]").count() == 0
    # The box about its failure is gone with it.
    assert page.locator(".trouble").count() == 0


def test_cancelling_asks_first_and_the_page_says_that_it_was_asked_for(window, scene):
    visitor = window().log_in(Role.OPERATOR, "dewi")
    page = visitor.go(f"/message/{scene.waiting}")
    page.get_by_role("button", name="Cancel this message …").click()
    dialog = page.get_by_role("dialog", name="Cancel this message")
    dialog.get_by_role("button", name="Keep it").click()
    assert "outcome.cancelling" not in [one["name"] for one in scene.api.get(f"/messages/{scene.waiting}")["life"]]
    page.get_by_role("button", name="Cancel this message …").click()
    dialog.get_by_role("button", name="Cancel this message").click()
    expect(page.locator(".message-title .tag")).to_have_text("cancellation requested")
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel this message …")).to_have_count(0)
    expect(page.get_by_role("button", name="Do not cancel it")).to_be_visible()


def test_letters_that_may_have_arrived_are_counted_and_left_out(window, admin, stock, axe_script):
    give_up(stock, "m1", "m2")
    give_up(stock, "m3", failure_class="uncertain", code="no-answer")
    wait_for_letters(admin, 3)
    visitor = window().log_in(Role.OPERATOR, "dewi")
    page = visitor.go("/desk/m3")
    page.get_by_role("button", name="Re-drive …", exact=True).click()
    dialog = page.get_by_role("dialog", name="Re-drive")
    expect(dialog.get_by_text("The provider had this message; the person may get it twice.")).to_be_visible()
    assert axe.violations(page, axe_script) == []
    dialog.get_by_role("button", name="Cancel").click()
    page = visitor.go("/desk")
    page.get_by_label("Select all on this page").check()
    page.locator("#redrive").click()
    expect(dialog.get_by_text("1 of 3 may have arrived.")).to_be_visible()
    expect(dialog.get_by_label("Leave those out")).to_be_checked()
    expect(page.locator("#redrive-count")).to_have_text("2 messages")
    assert axe.violations(page, axe_script) == []
    dialog.get_by_role("button", name="Re-drive", exact=True).click()
    expect(page.get_by_text("2 of 2 re-driven")).to_be_in_viewport()
    expect(page.locator("#letters tbody tr")).to_have_count(1)
    assert [one.message_id for one in stock.dead()] == ["m3"]


def test_a_first_letter_that_fails_again_stops_the_rest_and_is_told(window, scene):
    page = window().log_in(Role.OPERATOR, "dewi").go("/desk")
    page.locator(".cause").get_by_role("button", name="Re-drive 2 …").click()
    dialog = page.get_by_role("dialog", name="Re-drive")
    dialog.get_by_label("Try this many first").fill("1")
    dialog.get_by_role("button", name="Re-drive", exact=True).click()
    expect(page.locator("#letters").get_by_text("being re-driven")).to_have_count(2)
    scene.api.post("/resume")
    expect(page.locator(".toast.bad")).to_contain_text("1 of 1 failed again, 1 untouched")
    expect(page.locator("#jobs")).to_contain_text("Number is not on WhatsApp")
    expect(page.locator("#letters tbody tr")).not_to_have_count(1)


def test_the_letters_are_in_sight_and_small_and_a_cause_has_its_own_actions(window, admin, stock, axe_script):
    for number, code in enumerate(("not-on-whatsapp", "unrecognised", "invalid-fields", "too-large", "not-unicode")):
        give_up(stock, f"a{number}", f"b{number}", code=code)
    wait_for_letters(admin, 10)
    client = admin.client(Role.ADMIN, "noter")
    client.post("/failed/b4/note", {"note": "Nomor salah ketik?"})
    for viewport in (DESK, PHONE):
        visitor = window(viewport=viewport).log_in(Role.ADMIN, "ani")
        page = visitor.go("/desk")
        expect(page.locator("#letters").get_by_text("Nomor salah ketik?")).to_be_attached()
        first, second = (page.locator("#letters tbody tr").nth(place).bounding_box() for place in range(2))
        assert first is not None
        assert second is not None
        assert second["height"] <= 80
        # Below the sandbox's banner and the sentence that no consumer runs.
        assert first["y"] + first["height"] <= viewport["height"]
        # Both wordings of one code are one card.
        expect(page.locator(".cause").first.locator(".cause-count")).to_have_text("2")
        page.locator(".cause").first.get_by_role("button", name="Delete 2 …").click()
        expect(page.get_by_role("dialog", name="Delete").locator("#delete-count")).to_have_text("2 messages")
        assert axe.violations(page, axe_script) == []
        page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        visitor.close()


def test_the_list_follows_the_lane_and_selection_and_focus_stay(window, admin, stock):
    give_up(stock, "m1", "m2")
    wait_for_letters(admin, 2)
    visitor = window().log_in(Role.OPERATOR, "dewi")
    page = visitor.go("/desk")
    row = page.locator('#letters tr[data-id="m1"]')
    row.get_by_role("checkbox").check()
    row.get_by_role("link").focus()
    give_up(stock, "m3")
    wait_for_letters(admin, 3)
    tell_page(page, "event", {"name": "outcome.dead", "message_id": "m3"})
    expect(page.locator("#letters tbody tr")).to_have_count(3)
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(row.get_by_role("link")).to_be_focused()
    expect(page.locator(".cause-count")).to_have_text("3")


def test_what_nobody_knows_is_not_called_sent(browser, stage, broker_url, tmp_path):
    with proxy_before(broker_url) as wire:
        ours = stage.settings.model_copy(update={"amqp_url": SecretStr(wire.through(broker_url))})
        with AdminServer(ours, tmp_path / "second.log") as server:
            visitor = Visitor(browser, server.ready()).log_in(Role.ADMIN, "ani")
            expect(visitor.go("/desk").get_by_text("Nothing to do here.")).to_be_visible()
            wire.shut()
            client = server.client(Role.VIEWER)
            wait_until(lambda: client.ask("GET", "/status").status_code == 503, 30, "the broker is away")
            page = visitor.go("/desk")
            expect(page.get_by_text("No dead letters are known")).to_be_visible()
            assert "was sent" not in page.locator("#main").inner_text()
            visitor.close()


def test_the_life_of_a_message_that_waited_out_an_outage_is_a_screen_at_most(window, admin, stock, axe_script):
    stock.add_waiting("m1")
    began = time.time() - 600
    for at in range(24):
        away = {
            "failure_class": "unavailable",
            "code": "provider-down",
            "detail": "HTTP 503 without a message from MPWA",
        }
        stock.tell("outcome.sending", "m1", at=began + 20 * at, consumer="mail-1 (4711)")
        stock.tell("outcome.failed", "m1", at=began + 20 * at + 1, hold=19, **away)
    stock.tell("outcome.sending", "m1", consumer="mail-1 (4711)")
    stock.tell("outcome.sent", "m1", provider_id="p1")
    client = admin.client(Role.ADMIN, "reader")
    wait_until(lambda: client.ask("GET", "/messages/m1").json().get("state") == "sent", 20, "it is sent", every=0.1)
    for viewport in (DESK, PHONE):
        visitor = window(viewport=viewport, permissions=["clipboard-write", "clipboard-read"])
        page = visitor.log_in(Role.ADMIN, "ani").page
        visitor.go("/message/m1")
        expect(page.locator(".life li")).to_have_count(3)
        expect(page.locator(".life")).to_contain_text("24 rounds while the provider was away")
        expect(page.locator(".verdict")).to_contain_text("1 attempt, 24 rounds in an outage")
        expect(page.locator(".facts")).to_contain_text("mail-1 (4711)")
        card = page.locator(".card", has=page.locator(".life")).bounding_box()
        assert card is not None
        assert card["height"] <= viewport["height"]
        assert "8b0f6c55" not in page.locator(".life").inner_text()
        assert axe.violations(page, axe_script) == []
        page.get_by_role("button", name="Copy the number").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "+6281234567890"
        expect(page.get_by_role("link", name="Open in WhatsApp")).to_have_attribute(
            "href", "https://wa.me/6281234567890"
        )
        page.get_by_text("Raw data (JSON)").click()
        expect(page.locator(".raw pre")).to_contain_text('"message_id": "m1"')
        visitor.close()
