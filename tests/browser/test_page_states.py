"""Pages with nothing on them, without a server, and without a mouse."""

import axe
import pytest
from browser_client import choose
from playwright.sync_api import expect

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX


def test_axe_finds_nothing_on_empty_pages_and_errors(window, axe_script):
    visitor = window().log_in(Role.ADMIN)
    found = {address: axe.violations(visitor.go(address), axe_script) for address in ("/", "/desk", "/search")}
    response = visitor.page.goto(f"{PREFIX}/nowhere")
    assert response is not None
    assert (response.status, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    expect(visitor.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    found["/nowhere"] = axe.violations(visitor.page, axe_script)
    assert {address: what for address, what in found.items() if what} == {}
    # The browser itself complains about the missing page.
    assert [trouble for trouble in visitor.trouble if "404" not in trouble] == []
    visitor.trouble.clear()


@pytest.mark.usefixtures("scene")
def test_everything_works_by_keyboard(window):
    visitor = window().log_in(Role.ADMIN)
    page = visitor.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name="Send a test")).to_be_visible()
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Send a test")).to_be_hidden()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    visitor.jump("d", "/desk")
    page.get_by_label("Select all on this page").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Selection")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search messages, pages and actions")).to_be_focused()


@pytest.mark.usefixtures("scene")
def test_a_dialog_that_is_opened_again_in_the_moment_in_which_it_closes_still_sends(window):
    page = window().log_in(Role.ADMIN).page
    choose(page, "Send a test …")
    # The browser tells of the closing only when this is over.
    page.evaluate("document.getElementById('test-dialog').close(); document.getElementById('test').click()")
    dialog = page.get_by_role("dialog", name="Send a test")
    dialog.get_by_label("Phone number").fill("0812 3456 7890")
    dialog.get_by_label("Message").fill("Halo")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The test waits in the queue.")).to_be_visible()


def test_the_page_says_that_the_server_is_gone_and_recovers(window, admin):
    visitor = window().log_in(Role.VIEWER)
    expect(visitor.page.locator("#stream")).to_have_text("No consumer")
    admin.kill()
    expect(visitor.page.get_by_role("heading", name="No connection to the admin server")).to_be_visible()
    expect(visitor.page.locator("#stream")).to_have_text("No connection")
    admin.start()
    expect(visitor.page.locator("#stream")).to_have_text("No consumer")
    expect(visitor.page.locator("#headline")).to_have_text("No consumer is running")
    # What the browser itself says about the broken connections.
    visitor.trouble.clear()
