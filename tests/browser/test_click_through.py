"""The whole way of a message through the dashboard, with a real broker, consumer and provider."""

from contextlib import suppress

import pytest
from browser_client import PATIENCE, Visitor, choose, open_actions
from playwright.sync_api import TimeoutError, expect  # noqa: A004 (the library calls it so)

from admin_api.auth.roles import Role
from waiting import wait_until


def send_test(page, number, text):
    dialog = page.get_by_role("dialog", name="Send a test")

    def is_open():
        # A click on a page that is being drawn anew may be lost, and is made again, as people do.
        choose(page, "Send a test …")
        with suppress(TimeoutError):
            dialog.wait_for(timeout=PATIENCE / 6)
        return dialog.is_visible()

    wait_until(is_open, PATIENCE / 1000, "the dialog is open")
    dialog.get_by_label("Phone number").fill(number)
    dialog.get_by_label("Message").fill(text)
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_be_hidden()


def test_an_operator_sends_watches_pauses_and_resumes(window, consumer):
    consumer()
    page = window().log_in_with_the_form(Role.OPERATOR, "dewi").page
    send_test(page, "0812 3456 7890", "Halo, ini percobaan.")
    expect(page.locator("#feed li", has_text="Sent").first).to_be_visible()
    expect(page.locator('[data-counter="sent_hour"] .counter-number')).to_have_text("1")

    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#headline")).to_have_text("Paused")
    expect(page.locator("#why")).to_contain_text("By dewi")
    send_test(page, "0812 3456 7891", "Menunggu.")
    expect(page.locator("#next tbody tr")).to_have_count(1)
    expect(page.locator('[data-counter="waiting"] .counter-number')).to_have_text("1")

    page.get_by_role("button", name="Resume").click()
    expect(page.locator('[data-counter="waiting"] .counter-number')).to_have_text("0")
    expect(page.locator('[data-counter="sent_hour"] .counter-number')).to_have_text("2")
    open_actions(page)
    expect(page.get_by_role("button", name="Clear …")).to_be_disabled()


def test_an_admin_repairs_a_dead_letter_deletes_another_and_takes_that_back(window, consumer):
    consumer()
    visitor = window().log_in(Role.ADMIN, "ani")
    page = visitor.page
    for text in ("Bayar di sini.", "Bayar di sana."):
        send_test(page, "0812 3456 9001", text)
    expect(page.locator('[data-counter="failed_messages"] .counter-number')).to_have_text("2")
    visitor.go("/desk")
    expect(page.locator("#letters tbody tr")).to_have_count(2)

    edit_and_redrive(visitor, page.get_by_role("row", name="Bayar di sini."))
    expect(page.locator(".message-title .tag")).to_have_text("handed over")
    expect(page.get_by_text("Copy of")).to_be_visible()

    delete_and_undo(visitor)


def edit_and_redrive(visitor: Visitor, letter):
    page = visitor.page
    letter.get_by_role("link").click()
    expect(page.get_by_role("heading", name="9001")).to_be_visible()
    page.get_by_role("button", name="Edit and re-drive …").click()
    dialog = page.get_by_role("dialog", name="Edit and re-drive")
    dialog.get_by_label("Phone number").fill("0812 3456 7892")
    dialog.get_by_role("button", name="Re-drive the edited copy").click()
    expect(page.get_by_role("heading", name="7892")).to_be_visible()


def delete_and_undo(visitor: Visitor):
    page = visitor.go("/desk")
    expect(page.locator("#letters tbody tr")).to_have_count(1)
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("dialog", name="Delete").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 message deleted.")).to_be_visible()
    expect(page.get_by_text("No dead letters")).to_be_visible()
    expect(page.get_by_text("1 was deleted just now.")).to_be_visible()
    expect(page.locator("[data-dead]")).to_be_hidden()
    page.locator("#letters").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 message is back.")).to_be_visible()
    expect(page.locator("#letters tbody tr")).to_have_count(1)
    expect(visitor.go("/activity").locator("#removals tbody tr")).to_contain_text("undone by ani")


@pytest.mark.usefixtures("scene")
def test_what_was_cleared_comes_back_from_the_activity_page(window):
    visitor = window().log_in(Role.ADMIN, "ani")
    page = visitor.page
    waiting = page.locator('[data-counter="waiting"] .counter-number')
    expect(waiting).to_have_text("4")
    choose(page, "Clear …")
    dialog = page.get_by_role("dialog", name="Clear")
    dialog.get_by_label("Yes, clear them").check()
    dialog.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Cleared: ")).to_be_visible()
    expect(waiting).to_have_text("0")
    visitor.jump("a", "/activity")
    page.locator("#removals tbody tr").first.get_by_role("button", name="Undo").click()
    expect(page.locator("#removals tbody tr").first).to_contain_text("undone by")
    visitor.go("/")
    expect(waiting).to_have_text("4")


@pytest.mark.usefixtures("scene")
def test_a_selection_is_redriven_as_a_job_that_shows_its_progress(window):
    visitor = window().log_in(Role.OPERATOR, "dewi")
    page = visitor.go("/desk")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Re-drive …").click()
    dialog = page.get_by_role("dialog", name="Re-drive")
    expect(dialog.locator("#redrive-count")).to_have_text("2 messages")
    dialog.get_by_label("At most, per second").fill("50")
    dialog.get_by_role("button", name="Re-drive", exact=True).click()
    expect(page.get_by_text("2 of 2 re-driven")).to_be_visible()
    expect(page.get_by_text("No dead letters")).to_be_visible()


def test_five_registrations_are_simulated_where_the_provider_is_the_sandbox(window):
    page = window().log_in(Role.OPERATOR).page
    choose(page, "Simulate 5 registrations")
    expect(page.get_by_text("5 registrations are in the queue.")).to_be_visible()
    expect(page.locator("#next tbody tr")).to_have_count(5)
