"""Who types a number sees which number will be used, or what is wrong with it, before anything is sent."""

import axe
from browser_client import DESK, PHONE, choose
from playwright.sync_api import expect

from admin_api.auth.roles import Role


def test_the_number_of_a_test_is_shown_or_its_mistake(window, axe_script):
    for viewport in (DESK, PHONE):
        visitor = window(viewport=viewport).log_in(Role.OPERATOR)
        page = visitor.page
        choose(page, "Send a test …")
        dialog = page.get_by_role("dialog", name="Send a test")
        field, said = dialog.get_by_label("Phone number"), dialog.get_by_role("status")
        before = dialog.bounding_box()

        field.press_sequentially("0812 345")
        expect(said).to_have_text("This is too short for an Indonesian number. For a number abroad begin with +.")
        expect(field).not_to_have_attribute("aria-invalid", "true")  # it is being typed

        field.fill("0812 3456 7890")
        expect(said).to_have_text("→ +62 812-3456-7890 will be used")
        assert dialog.bounding_box() == before

        field.fill("0812 3456 789O")
        expect(said).to_have_text("Character 14 is the letter O: a phone number has digits only.")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description("Character 14 is the letter O: a phone number has digits only.")
        assert axe.violations(page, axe_script) == []

        field.fill("")
        expect(said).to_have_text("")
        expect(field).not_to_have_attribute("aria-invalid", "true")
        visitor.close()


def test_the_number_of_an_edited_copy_is_shown(window, scene):
    visitor = window().log_in(Role.OPERATOR)
    visitor.page.context.add_cookies([{"name": "antrian_lang", "value": "id", "url": visitor.page.url}])
    page = visitor.go(f"/desk/{scene.dead}")
    page.locator(".acts button").nth(1).click()
    dialog = page.locator("#edit-dialog")
    expect(dialog.get_by_role("status")).to_have_text("→ akan dikirim ke +62 812-3456-9001")
    dialog.locator('[name="phone_number"]').fill("+65 9123 4567")
    expect(dialog.get_by_role("status")).to_have_text("→ akan dikirim ke +65 9123 4567")
