"""Unsafe requests with a cookie come from our own pages, or not at all."""

import hmac

import pytest
from auth_app import House

from admin_api.auth.urls import LOGOUT


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def browser(house):
    return house.browser()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://house"}, 200),
        ({"Origin": "https://house"}, 200),
        ({"Origin": "null"}, 200),
        ({"Origin": "http://house:8080"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://house.evil.example"}, 403),
        ({"Origin": "nonsense"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://house", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_where_it_comes_from_counts_beside_the_right_value(browser, headers, status):
    answer = browser.post("pause", headers={"X-CSRF-Token": browser.csrf(), **headers})
    assert answer.status_code == status


@pytest.mark.parametrize("sent", [None, "", "wrong", "é".encode()])
def test_without_the_sessions_value_nothing_is_done(browser, sent):
    headers = {} if sent is None else {"X-CSRF-Token": sent}
    answer = browser.post("pause", headers={"Origin": "http://house", "Sec-Fetch-Site": "same-origin", **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_the_value_of_another_session_is_wrong(house, browser):
    other = house.browser()
    assert browser.post("pause", headers={"X-CSRF-Token": other.csrf()}).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "INVENTED"])
def test_every_method_that_may_change_something_needs_it(browser, method):
    assert browser.ask(method, "pause").status_code == 403


def test_reading_needs_no_value(browser):
    assert browser.get("me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_plain_form_sends_it_as_a_field_and_the_route_still_gets_its_body(browser):
    csrf = browser.csrf()
    assert browser.post("note", data={"text": "x"}).status_code == 403
    assert browser.post("note", data={"text": "Halo & terima kasih", "csrf_token": csrf}).text == "Halo & terima kasih"
    assert browser.post(LOGOUT, data={"csrf_token": "wrong"}).status_code == 403
    assert browser.get("me").status_code == 200
    assert browser.post(LOGOUT, data={"csrf_token": csrf}).status_code == 303
    assert browser.get("me").status_code == 401


def test_a_json_body_cannot_pass_for_a_form(browser):
    answer = browser.post("pause", content=f"csrf_token={browser.csrf()}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 403


def test_a_form_without_end_is_refused(browser):
    fields = "&".join(f"f{number}=1" for number in range(2000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.post("pause", content=f"{fields}&csrf_token={browser.csrf()}", headers=headers)
    assert answer.status_code == 403


def test_a_large_file_that_passes_for_a_form_is_refused_unread(house):
    viewer, read = house.browser("viewer"), []

    async def body():
        for piece in [b"x="] + [b"%41" * 10_000] * 100:
            read.append(len(piece))
            yield piece

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert viewer.post("imports", content=body(), headers=headers).status_code == 403
    assert sum(read) < 1_000_000


def test_with_a_bearer_token_no_value_is_needed_and_the_cookie_does_not_count(house, browser):
    viewer = house.token("viewer", "guest")
    answer = browser.post("pause", headers={"Authorization": f"Bearer {viewer}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role")
    operator = house.token("operator", "op")
    answer = browser.post("pause", headers={"Authorization": f"bearer  {operator}", "Origin": "http://elsewhere"})
    assert answer.json() == {"by": "api:op"}


def test_a_wrong_bearer_token_is_not_mended_by_a_good_cookie(browser):
    assert browser.get("me", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_proxys_own_password_beside_the_cookie_does_not_matter(browser):
    assert browser.get("me", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_the_value_is_compared_in_constant_time(browser, monkeypatch):
    csrf, compared = browser.csrf(), []
    real = hmac.compare_digest
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append(one) or real(one, other))
    browser.post("pause", headers={"X-CSRF-Token": "x" * len(csrf)})
    assert csrf.encode() in compared
