"""In and out with a browser."""

import pytest
from auth_app import NOON, House

from admin_api.auth.login_links import GOOD_FOR, issue
from admin_api.auth.roles import Role
from admin_api.auth.sessions import COOKIE
from admin_api.auth.urls import LOGIN, LOGOUT, PREFIX, inside


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def once(house):
    token, _ = house.tokens.create(Role.ADMIN, "up", NOON)
    return f"{LOGIN}?once={issue(house.settings, token.id, NOON)}"


def test_a_token_logs_in_and_leads_to_the_dashboard(house):
    visitor = house.visitor()
    answer = visitor.post(LOGIN, data={"token": f" {house.token('viewer', 'ani')}\n"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PREFIX}/")
    assert visitor.get("me").json()["label"] == "web:ani"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(house):
    token = house.token()
    words = house.visitor().post(LOGIN, data={"token": token}).headers["Set-Cookie"]
    assert words.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(words.split("; "))
    assert "Secure" not in words
    assert token not in words
    assert "Secure" in house.visitor().post(f"https://house{LOGIN}", data={"token": token}).headers["Set-Cookie"]


def test_what_a_header_claims_about_https_does_not_count(house):
    visitor = house.visitor(**{"X-Forwarded-Proto": "https"})
    assert "Secure" not in visitor.post(LOGIN, data={"token": house.token()}).headers["Set-Cookie"]


def test_programs_log_in_with_json(house):
    assert house.visitor().post(LOGIN, json={"token": house.token()}).status_code == 303
    assert house.visitor().post(LOGIN, json={"token": "wrong"}).json()["code"] == "wrong-token"
    for nonsense in ([], "x", 7, {"token": 7}):
        assert house.visitor().post(LOGIN, json=nonsense).status_code in {401, 422}
    headers = {"Content-Type": "application/json"}
    for no_json in (b"\xff{", b"{", b"[" * 100_000, b'{"token": ' + b"1" * 5_000 + b"}"):
        assert house.visitor().post(LOGIN, content=no_json, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example/admin/whatsapp-queue/",
        f"{PREFIX}x",
        f"/\\evil.example{PREFIX}/",
        f"{PREFIX}/\\evil",
        f"{PREFIX}/\n",
        "/",
        "javascript:alert(1)",
        LOGIN,
        f"{LOGOUT}?x=1",
    ],
)
def test_a_login_leads_to_our_own_pages_only(house, address):
    assert inside(address) == f"{PREFIX}/"
    answer = house.visitor().post(LOGIN, data={"token": house.token(), "next": address})
    assert answer.headers["Location"] == f"{PREFIX}/"


def test_a_login_leads_to_the_page_that_was_wanted(house):
    answer = house.visitor().post(LOGIN, data={"token": house.token(), "next": f"{PREFIX}/desk?code=x"})
    assert answer.headers["Location"] == f"{PREFIX}/desk?code=x"


@pytest.mark.parametrize("data", [{}, {"token": ""}, {"token": "wrong"}, {"token": "antrian_00000000_x"}])
def test_a_wrong_token_leads_back_to_the_form_with_the_wanted_page(house, data):
    answer = house.visitor().post(LOGIN, data=data | {"next": f"{PREFIX}/desk"})
    assert answer.headers["Location"] == f"{LOGIN}?error=wrong&next=%2Fadmin%2Fwhatsapp-queue%2Fdesk"
    assert "Set-Cookie" not in answer.headers


def test_a_body_that_is_no_form_is_a_wrong_token(house):
    assert "error=wrong" in house.visitor().post(LOGIN, content=b"\xff\x00").headers["Location"]


def test_a_publishers_token_logs_nobody_in(house):
    answer = house.visitor().post(LOGIN, data={"token": house.token("publisher")})
    assert answer.headers["Location"] == f"{LOGIN}?error=role"
    assert "Set-Cookie" not in answer.headers


def test_after_five_wrong_tokens_people_wait_and_the_right_one_still_gets_in(house):
    visitor = house.visitor()
    assert [visitor.post(LOGIN, data={"token": "wrong"}).status_code for _ in range(5)] == [303] * 5
    answer = visitor.post(LOGIN, data={"token": "wrong"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert f'url={LOGIN}?error=throttled"' in answer.text
    assert visitor.post(LOGIN, json={"token": "wrong"}).json()["code"] == "throttled"
    assert visitor.post(LOGIN, data={"token": house.token()}).headers["Location"] == f"{PREFIX}/"


def test_a_page_that_says_to_wait_carries_no_foreign_words(house):
    visitor = house.visitor()
    for _ in range(6):
        answer = visitor.post(LOGIN, data={"token": "wrong", "next": f'{PREFIX}/"><script>'})
    assert answer.status_code == 429
    assert "<script" not in answer.text


def test_another_site_cannot_log_somebody_in(house):
    token = house.token()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        answer = house.visitor().post(LOGIN, data={"token": token}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_a_broken_token_file_leads_back_to_the_form(house):
    token = house.token()
    house.settings.tokens_file.write_text("{oops")
    answer = house.visitor().post(LOGIN, data={"token": token})
    assert answer.headers["Location"] == f"{LOGIN}?error=unavailable"
    assert house.visitor().post(LOGIN, json={"token": token}).status_code == 503


def test_a_broken_key_file_leads_back_to_the_form(house):
    (house.settings.tokens_file.parent / "session.key").mkdir(parents=True)
    answer = house.visitor().post(LOGIN, data={"token": house.token()})
    assert answer.headers["Location"] == f"{LOGIN}?error=unavailable"


def test_a_link_logs_in_once(house, once):
    visitor = house.visitor()
    assert visitor.get(once).headers["Location"] == f"{PREFIX}/"
    assert visitor.get("me").json()["label"] == "web:up"
    again = house.visitor().get(once)
    assert again.headers["Location"] == f"{LOGIN}?error=link"
    assert "Set-Cookie" not in again.headers


def test_a_link_is_good_for_ten_minutes(house, once):
    house.now += GOOD_FOR
    assert house.visitor().get(once).headers["Location"] == f"{LOGIN}?error=link"


def test_a_link_of_a_revoked_token_leads_nowhere(house, once):
    house.tokens.revoke("up")
    assert house.visitor().get(once).headers["Location"] == f"{LOGIN}?error=link"


def test_a_damaged_file_of_links_leads_back_to_the_form(house, once):
    (house.settings.tokens_file.parent / "login-codes.json").write_text("{oops")
    assert house.visitor().get(once).headers["Location"] == f"{LOGIN}?error=unavailable"


def test_without_a_code_the_same_address_is_the_form(house):
    assert house.visitor().get(LOGIN).text == "the form"
    assert house.visitor().get(f"{LOGIN}?error=wrong").text == "the form"


def test_who_logs_out_is_out_with_every_copy_of_the_cookie(house):
    browser = house.browser()
    copy = house.visitor(Cookie=f"{COOKIE}={browser.client.cookies[COOKIE]}")
    assert copy.get("me").status_code == 200
    answer = browser.post(LOGOUT, headers={"X-CSRF-Token": browser.csrf()})
    assert (answer.status_code, answer.headers["Location"]) == (303, LOGIN)
    assert COOKIE not in browser.client.cookies
    assert copy.get("me").status_code == 401


def test_a_logout_that_cannot_be_kept_is_not_pretended(house):
    browser = house.browser()
    csrf = browser.csrf()
    (house.settings.tokens_file.parent / "ended-sessions.json.lock").mkdir()
    answer = browser.post(LOGOUT, headers={"X-CSRF-Token": csrf})
    assert (answer.status_code, answer.json()["code"]) == (503, "access-unreadable")


def test_another_site_cannot_log_somebody_out(house):
    browser = house.browser()
    assert browser.post(LOGOUT).status_code == 403
    assert browser.get("me").status_code == 200


def test_a_session_from_one_replica_is_known_to_the_other(house, tmp_path):
    browser = house.browser()
    replica = House(tmp_path)
    copy = replica.visitor(Cookie=f"{COOKIE}={browser.client.cookies[COOKIE]}")
    assert copy.get("me").json()["csrf"] == browser.csrf()
