"""Closed by default, and every answer says how."""

import asyncio

import pytest
from auth_app import House

from admin_api.auth.body_limit import LARGEST_BODY
from admin_api.auth.headers import HEADERS, POLICY
from admin_api.auth.roles import Role, allows
from admin_api.auth.sessions import COOKIE
from admin_api.auth.urls import LOGIN, PREFIX

NEEDS = {("GET", "me"): "viewer", ("POST", "pause"): "operator", ("POST", "undo/u1"): "admin"}


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.mark.parametrize(("endpoint", "needed"), NEEDS.items())
@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_it_may_and_is_told_what_it_lacks(house, endpoint, needed, role):
    answer = house.visitor(house.token(role)).ask(*endpoint)
    if allows(role, Role(needed)):
        assert answer.status_code == 200
    else:
        problem = answer.json()
        assert (answer.status_code, problem["needed"], problem["role"]) == (403, needed, role)
        assert f"needs the role {needed}" in problem["detail"]


def test_only_publishers_publish(house):
    assert house.visitor(house.token("admin")).post("/messages").status_code == 403
    assert house.visitor(house.token("publisher")).post("/messages").json() == {"by": "api:publisher"}


@pytest.mark.parametrize("path", ["me", "forgotten", "no-such-thing", "/", "/openapi.json", "/docs", "/messages"])
def test_a_stranger_reaches_nothing_not_even_what_is_not_there(house, path):
    answer = house.visitor().get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_stranger_is_turned_away_before_the_body_is_looked_at(house):
    answer = house.visitor().post("clear", content=b"{oops", headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/healthz", LOGIN, f"{PREFIX}/static/app.js"])
def test_what_is_open_is_open_even_with_a_wrong_token(house, path):
    assert house.visitor("wrong").get(path).status_code == 200


@pytest.mark.parametrize(
    "path", [f"{PREFIX}/static", f"{PREFIX}/staticme", f"{PREFIX}/login/", "/healthz/", "//healthz"]
)
def test_what_only_looks_open_is_closed(house, path):
    assert house.visitor().get(path).status_code == 401


def test_people_are_led_to_the_login_and_back(house):
    people = {"Accept": "text/html,*/*;q=0.8"}
    answer = house.visitor().get("activity?page=2&x=a%26b", headers=people)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{LOGIN}?next=%2Fadmin%2Fwhatsapp-queue%2Factivity%3Fpage%3D2%26x%3Da%2526b"
    assert house.visitor().get("", headers=people).headers["Location"] == LOGIN
    assert house.visitor().post("pause", headers=people).headers["Location"] == LOGIN


def test_people_whose_session_is_over_are_told_so(house):
    browser = house.browser()
    house.now += 13 * 3600
    answer = browser.get("activity", headers={"Accept": "text/html"})
    assert "error=expired" in answer.headers["Location"]
    assert "your session has ended" in browser.get("me").json()["detail"]


def test_a_revoked_token_is_out_at_once_and_so_are_its_sessions(house):
    browser = house.browser("viewer")
    token = house.token("viewer", "guest")
    program = house.visitor(token)
    assert (browser.get("me").status_code, program.get("me").status_code) == (200, 200)
    house.tokens.revoke("guest")
    house.tokens.revoke("viewer")
    assert (browser.get("me").status_code, program.get("me").status_code) == (401, 401)


def test_actors_are_labelled_by_the_way_they_came(house):
    assert house.browser("viewer").get("me").json()["label"] == "web:viewer"
    assert house.visitor(house.token("viewer", "bot")).get("me").json()["label"] == "api:bot"


def test_a_broken_token_file_closes_everything_in_one_sentence_and_health_stays(house):
    token = house.token()
    house.settings.tokens_file.write_text("{oops")
    answer = house.visitor(token).get("me")
    assert (answer.status_code, answer.json()["code"]) == (503, "access-unreadable")
    assert str(house.settings.tokens_file) not in answer.text
    assert house.visitor().get("/healthz").status_code == 200


def test_wrong_tokens_are_slowed_down_and_a_right_one_never(house):
    guesser = house.visitor("antrian_00000000_guess")
    assert [guesser.get("me").status_code for _ in range(7)] == [401] * 5 + [429] * 2
    answer = guesser.get("me")
    assert (answer.headers["Retry-After"], answer.json()["code"]) == ("1", "throttled")
    assert house.visitor(house.token()).get("me").status_code == 200
    house.now += 1
    assert guesser.get("me").status_code == 401
    assert guesser.get("me").headers["Retry-After"] == "2"


def test_an_endless_token_is_refused(house):
    assert house.visitor("antrian_0_" + "x" * 10_000).get("me").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "me", 200), ("GET", "nothing", 404), ("PUT", "pause", 405), ("POST", "clear", 422), ("GET", "boom", 500)],
)
def test_every_answer_has_the_security_headers_and_is_not_kept(house, method, path, status):
    answer = house.visitor(house.token()).ask(method, path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["Cache-Control"] == "no-store"
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_refusals_have_the_security_headers_too(house):
    for answer in (house.visitor().get("me"), house.visitor().post(LOGIN, content=b"x" * (LARGEST_BODY + 1))):
        assert answer.headers["Content-Security-Policy"] == POLICY


def test_files_may_be_kept(house):
    answer = house.visitor().get("static/app.js")
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_script_in_a_page_and_no_frame_is_allowed():
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert POLICY.startswith("default-src 'none'")


def test_an_error_says_nothing_of_what_went_wrong_inside(house, capsys):
    answer = house.visitor(house.token()).get("boom")
    assert "81234567890" not in answer.text
    logged = capsys.readouterr()
    assert "81234567890" not in logged.out + logged.err
    assert "RuntimeError" in logged.out + logged.err


def test_a_wrong_body_is_explained_without_repeating_it(house):
    answer = house.visitor(house.token()).post("clear", json={"scope": 81234567890, "count": "to +6281234567890"})
    assert {one["field"] for one in answer.json()["errors"]} == {"body.scope", "body.count"}
    assert "81234567890" not in answer.text


def test_a_body_that_is_no_json_is_explained_without_repeating_it(house):
    headers = {"Content-Type": "application/json"}
    answer = house.visitor(house.token()).post("clear", content=b'{"scope": +6281234567890', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "81234567890" not in answer.text


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(house):
    async def pieces():
        for _ in range(40):
            yield b" " * (LARGEST_BODY // 32)

    visitor = house.visitor(house.token(), **{"Content-Type": "application/json"})
    for body in (b" " * (LARGEST_BODY + 1), pieces()):
        answer = visitor.post("clear", content=body)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert visitor.post("clear", content=b'{"scope": "queued"}'.ljust(LARGEST_BODY)).status_code == 200


def test_a_length_that_is_no_number_is_refused(house):
    assert house.visitor(house.token()).post("pause", headers={"Content-Length": "-1"}).status_code == 413


class Reader:
    """Reads a stream straight from the app: the client of the other tests would wait for its end."""

    def __init__(self, house, **headers):
        self.sent = []
        self._house = house
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": f"{PREFIX}/events",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }

    def read(self, then=lambda: None):
        """The first piece, then what `then` does, then the rest, if there is an end."""
        asyncio.run(asyncio.wait_for(self._read(then), 60))
        return self.sent

    async def _read(self, then):
        is_over = asyncio.Event()

        async def receive():
            await is_over.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            self.sent.append(message)
            if len(self.sent) == 2:
                then()
            if len(self.sent) == 20 or (message["type"] == "http.response.body" and not message.get("more_body")):
                is_over.set()

        await self._house.app(self._scope, receive, send)


def test_a_stream_is_passed_on_piece_by_piece_with_the_headers(house):
    start, *pieces = Reader(house, Authorization=f"Bearer {house.token()}").read()
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert (headers["content-security-policy"], headers["cache-control"]) == (POLICY, "no-store")
    assert len(pieces) >= 19
    assert pieces[0]["body"] == b"data: tick\n\n"


def test_a_stream_ends_when_its_token_is_revoked(house):
    sent = Reader(house, Authorization=f"Bearer {house.token('viewer', 'ani')}").read(
        lambda: house.tokens.revoke("ani")
    )
    assert sent[2:] == [{"type": "http.response.body", "body": b""}]


@pytest.mark.parametrize("end", ["revoke", "expire", "break"])
def test_a_stream_ends_with_its_session(house, end):
    browser = house.browser("viewer")

    def then():
        if end == "revoke":
            house.tokens.revoke("viewer")
        elif end == "expire":
            house.now += 13 * 3600
        else:
            house.settings.tokens_file.write_text("{oops")

    sent = Reader(house, Cookie=f"{COOKIE}={browser.client.cookies[COOKIE]}").read(then)
    assert sent[2:] == [{"type": "http.response.body", "body": b""}]
