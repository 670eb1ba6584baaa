"""The report and the charts, with days behind them, as a manager meets them: who may look, and do nothing."""

from collections.abc import Iterator

import axe
import pytest
from admin import AdminServer
from lane_with_admin import Stage, open_shared_stage
from past import tell_the_past
from playwright.sync_api import expect

from admin_api.auth.roles import Role
from waiting import wait_until

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MESSAGES = 200

#: Pixels by which a text of a chart reaches over the edges of its card.
OVER = """() => Math.max(...[...document.querySelectorAll('.chart')].flatMap(card => {
    const box = card.getBoundingClientRect();
    return [...card.querySelectorAll('svg text')].map(text => {
        const words = text.getBoundingClientRect();
        return Math.max(box.left - words.left, words.right - box.right);
    });
}))"""

DURATIONS = """async (seconds) => {
    const app = document.querySelector('script[src$="/app.js"]').src;
    const {duration} = await import(new URL('format.js', app));
    return seconds.map((one) => duration(one));
}"""


@pytest.fixture(scope="module")
def stage(broker_url, tmp_path_factory) -> Iterator[Stage]:
    """One for all tests here."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as opened:
        tell_the_past(opened.settings, days=9, messages=MESSAGES)
        api = opened.admin.client(Role.ADMIN, "set-up")

        def is_read() -> bool:
            totals = api.get("/analytics/report?period=30d")["totals"]
            return bool(totals["sent"] + totals["failed"] == MESSAGES)

        wait_until(is_read, 60, "the history has read the past")
        yield opened


@pytest.fixture(scope="module")
def admin(stage: Stage) -> AdminServer:
    return stage.admin


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_manager_sees_the_report_and_charts_that_say_true_things(window, axe_script, viewport):
    visitor = window(viewport=viewport, timezone_id="Asia/Jakarta").log_in(Role.VIEWER)
    page = visitor.go("/report?period=30d")
    expect(page.locator("#line")).to_contain_text("In the last 30 days: ")
    expect(page.locator("#line")).to_contain_text("succeeded. Half waited under ")
    expect(page.locator("#sources tbody tr")).to_have_count(3)
    # Of the days before the first message there is no row, because nothing is known of them.
    assert 8 <= page.get_by_role("table", name="Sent by hour of the day").locator("tbody tr").count() <= 12
    expect(page.locator("#about")).to_contain_text("The figures begin at")
    assert "81234567890" not in page.content()
    found = axe.violations(page, axe_script)
    wide = [page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")]
    page.get_by_text("Yesterday", exact=True).click()
    expect(page.locator("#line")).to_contain_text("Yesterday: ")
    expect(page.locator("#figures")).to_contain_text("the day before")
    assert page.url.endswith("period=yesterday")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert "section,name,sent,failed" in download.value.path().read_text()
    page = visitor.go("/?minutes=10080")
    expect(page.get_by_role("heading", name="Sent per 3 h", exact=True)).to_be_visible()
    assert page.evaluate(OVER) <= 0
    page.get_by_text("Numbers Sent per").click()
    # Each line of a table over several days has its date.
    moments = page.get_by_role("table", name="Sent per 3 h").locator("tbody td:first-child").all_inner_texts()
    assert moments
    assert all(moment.split(",")[0].strip(" 0123456789") for moment in moments), moments
    assert page.locator(".line[data-series^=p-]").count() == 0, "waits are no broken lines"
    assert page.locator(".dot").count() > 0
    found += axe.violations(page, axe_script)
    wide.append(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
    assert (found, wide) == ([], [0, 0])


def test_a_report_is_asked_for_in_a_zone_that_exists(admin):
    api = admin.client(Role.VIEWER)
    refused = api.ask("GET", "/analytics/report", params={"timezone": "Mars/Olympus"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-timezone")
    assert api.get("/analytics/report", timezone="Asia/Kathmandu")["timezone"] == "Asia/Kathmandu"


def test_a_duration_has_no_empty_parts(window):
    page = window().log_in(Role.VIEWER).page
    words = page.evaluate(DURATIONS, [60, 72, 120, 3600, 5400, 86400])
    assert words == ["1 min", "1 min 12 s", "2 min", "1 h", "1 h 30 min", "24 h"]
