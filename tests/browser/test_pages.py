"""Every page, as everybody may meet it: bright or dark, on a desk or a phone, in both languages. Nothing is changed."""

from collections.abc import Iterator

import axe
import pytest
from admin import AdminServer
from browser_client import DESK, PHONE, choose, open_actions
from demo_lane import Scene
from lane_with_admin import Stage, open_shared_stage
from playwright.sync_api import expect

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX
from waiting import wait_until


@pytest.fixture(scope="module")
def stage(broker_url, tmp_path_factory) -> Iterator[Stage]:
    """One for all tests here."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(stage: Stage) -> AdminServer:
    return stage.admin


@pytest.fixture(scope="module")
def scene(stage: Stage) -> Scene:
    return stage.play()


def addresses(scene):
    """Every page that a person with a login can reach."""
    letter, sent, waiting = f"/desk/{scene.dead}", f"/message/{scene.sent}", f"/message/{scene.waiting}"
    return (
        "/",
        "/desk",
        "/desk?code=none",
        letter,
        sent,
        waiting,
        "/search",
        "/search?state=sent",
        "/search?q=bayar",
        "/activity",
        "/waiting",
        "/import",
        "/health",
        "/opt-outs",
        "/contact/+6281234567890",
        "/planning",
    )


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_any_page_and_nothing_reaches_over_the_edge(window, scene, axe_script, viewport):
    visitor = window(viewport=viewport, has_touch=viewport is PHONE)
    found, over = {}, {}

    def look(address):
        page = visitor.go(address)
        found[address] = axe.violations(page, axe_script)
        over[address] = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        # Only the colours are others in the dark.
        page.emulate_media(color_scheme="dark")
        found[f"{address} in the dark"] = axe.violations(page, axe_script, colours_only=True)
        page.emulate_media(color_scheme="light")

    visitor.go("/login")
    found["/login"] = axe.violations(visitor.page, axe_script)
    visitor.log_in(Role.ADMIN)
    for address in addresses(scene):
        look(address)
    assert {address: what for address, what in found.items() if what} == {}
    assert set(over.values()) == {0}, over


@pytest.mark.usefixtures("scene")
def test_axe_finds_nothing_in_dialogs_toasts_and_menus(window, axe_script):
    visitor = window().log_in(Role.ADMIN)
    page = visitor.page
    found = []
    for button, dialog in (("Send a test …", "Send a test"), ("Clear …", "Clear")):
        choose(page, button)
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        found += axe.violations(page, axe_script)
        page.keyboard.press("Escape")
    choose(page, "Simulate 5 registrations")
    expect(page.locator(".toast")).to_be_visible()
    page.locator(".settings summary").click()
    found += axe.violations(page, axe_script)
    visitor.go("/desk").get_by_label("Select all on this page").check()
    found += axe.violations(page, axe_script)
    page.get_by_role("button", name="Re-drive …").click()
    expect(page.locator("#redrive-count")).to_have_text("2 messages")
    found += axe.violations(page, axe_script)
    assert found == []


@pytest.mark.usefixtures("scene")
def test_a_chart_is_read_by_keyboard_and_as_a_table(window):
    visitor = window().log_in(Role.VIEWER)
    chart = visitor.page.get_by_role("slider", name="Read the chart: Sent per minute")
    chart.focus()
    now = chart.get_attribute("aria-valuetext")
    assert now
    visitor.page.keyboard.press("ArrowLeft")
    expect(chart).not_to_have_attribute("aria-valuetext", now)
    visitor.page.get_by_text("Numbers Sent per minute").click()
    expect(visitor.page.get_by_role("table", name="Sent per minute")).to_be_visible()


def test_the_language_follows_the_browser_and_then_the_readers_choice(window):
    visitor = window(locale="id-ID").go("/login")
    expect(visitor.get_by_role("heading", name="Masuk")).to_be_visible()
    assert visitor.locator("html").get_attribute("lang") == "id"
    visitor.locator(".settings summary").click()
    visitor.get_by_role("link", name="English").click()
    expect(visitor.get_by_role("heading", name="Log in")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.usefixtures("scene")
def test_scripts_speak_the_readers_language_too(window):
    visitor = window()
    page = visitor.log_in(Role.ADMIN).page
    page.locator(".settings summary").click()
    page.get_by_role("link", name="Bahasa Indonesia").click()
    expect(page.locator("#headline")).to_have_text("Dijeda")
    expect(visitor.go("/desk").get_by_text("Nomor tidak ada di WhatsApp").first).to_be_visible()


def test_the_colours_are_remembered_before_the_first_paint(window):
    page = window(color_scheme="light").log_in(Role.VIEWER).page
    page.locator(".settings summary").click()
    page.get_by_text("Dark", exact=True).click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 21)"


@pytest.mark.usefixtures("scene")
def test_a_filter_is_an_address_that_can_be_kept(window):
    visitor = window().log_in(Role.OPERATOR)
    page = visitor.go("/desk")
    page.get_by_role("link", name="Number is not on WhatsApp").click()
    page.wait_for_url("**failure_class=rejected**")
    address = page.url
    page.get_by_label("Number or text").fill("0811111111")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("No dead letters match")).to_be_visible()
    page.go_back()
    expect(page.locator("#letters tbody tr")).to_have_count(2)
    page.goto(address)
    expect(page.locator("#letters tbody tr")).to_have_count(2)


def test_a_viewer_sees_masked_numbers_no_texts_and_why_nothing_can_be_pressed(window, scene):
    visitor = window().log_in(Role.VIEWER)
    page = visitor.page
    open_actions(page)
    for name in ("Resume", "Send exactly one", "Send a test …", "Clear …"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    expect(page.get_by_text("You are a viewer: you can look, and numbers are masked.")).to_be_visible()
    expect(page.locator("#next tbody tr").first).to_contain_text("••••-7890")
    assert visitor.fetch("POST", "/pause") == 403
    visitor.go(f"/desk/{scene.dead}")
    for name in ("Re-drive", "Edit and re-drive …", "Delete …", "Save the note"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(page.get_by_text("The text is not shown to your role.")).to_be_visible()
    assert "bayar.example" not in page.content()
    wait_until(lambda: scene.api.get("/audit")["items"][0]["name"] == "audit.denied", 10, "the refusal is on record")
    visitor.trouble.clear()


def test_log_out_ends_the_session(window):
    visitor = window().log_in(Role.VIEWER)
    visitor.page.locator(".settings summary").click()
    visitor.page.get_by_role("button", name="Log out").click()
    expect(visitor.page.get_by_label("Token")).to_be_visible()
    visitor.page.goto(f"{PREFIX}/")
    expect(visitor.page.get_by_label("Token")).to_be_visible()
