"""A file in the page: checked, corrected, queued, and repeated without harm."""

import axe
import pytest
from admin import Client
from browser_client import DESK
from playwright.sync_api import FilePayload, Page, expect

from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX

NARROW = {"width": 390, "height": 844}


@pytest.fixture
def client(admin) -> Client:
    return admin.client(Role.ADMIN, "scene")


def choose(page: Page, text: str, name: str = "pesan.csv") -> None:
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("#file").set_input_files(file)


def test_an_operator_corrects_and_queues_a_file_and_repeats_it(window, client, axe_script):
    for number, viewport in enumerate((DESK, NARROW), start=1):
        visitor = window(viewport=viewport).log_in(Role.OPERATOR, "dewi")
        page = visitor.go("/import")
        assert axe.violations(page, axe_script) == []
        text = f"No;nomor;pesan\n1;081234567890;Halo Ani {number}\n2;123;Halo\n3;081234567891;Halo Budi {number}\n"
        choose(page, text)
        page.get_by_role("button", name="Leave out No").click()
        expect(page.get_by_text("3 rows read, 2 can be queued")).to_be_visible()
        expect(page.locator("#report tbody tr")).to_have_count(1)
        expect(page.locator("#report tbody tr td").first).to_have_text("3")
        queue = page.get_by_role("button", name="Queue 2 messages")
        expect(queue).to_be_disabled()
        assert axe.violations(page, axe_script) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        with page.expect_download() as download:
            page.get_by_role("link", name="Download all of them as CSV").click()
        assert "phone_number" in download.value.path().read_text(encoding="utf-8-sig")

        page.get_by_label("Leave out the wrong row and queue the rest").check()
        queue.dblclick()
        expect(page.get_by_text("2 messages are in the queue now.")).to_be_visible()
        assert client.get("/status")["queue_length"] == 2 * number

        page.get_by_role("button", name="Another file").click()
        choose(page, text)
        expect(page.get_by_text("2 are in the queue already")).to_be_visible()
        expect(page.get_by_role("button", name="Nothing to queue")).to_be_disabled()
        # What the browser itself says about the file that was refused first.
        assert [trouble for trouble in visitor.trouble if "422" not in trouble] == []
        visitor.trouble.clear()
        visitor.close()


def test_what_cannot_be_used_is_said_in_one_sentence(window, tmp_path):
    visitor = window().log_in(Role.OPERATOR)
    page = visitor.go("/import")
    choose(page, "PK\x03\x04", "pesan.xlsx")
    expect(page.get_by_role("alert")).to_contain_text("it is a spreadsheet or an archive")
    # From a file, which the browser reads for itself: so many bytes by way of the debugger take long.
    (tmp_path / "besar.csv").write_text("phone_number,message\n" + "081234567890,x\n" * 1_400_000)
    page.locator("#file").set_input_files(tmp_path / "besar.csv")
    expect(page.get_by_role("alert")).to_contain_text("up to 20 MB can be uploaded")
    visitor.trouble.clear()


def test_a_viewer_is_turned_away(window):
    visitor = window().log_in(Role.VIEWER)
    response = visitor.page.goto(f"{PREFIX}/import")
    assert response.status == 403
    visitor.trouble.clear()
