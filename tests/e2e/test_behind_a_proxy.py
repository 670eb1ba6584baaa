"""The admin side behind a reverse proxy that ends TLS."""

import pytest
import requests
from admin import AdminServer

from admin_api.auth.roles import Role
from admin_api.auth.urls import LOGIN

#: What a proxy on this machine says of a visitor.
_SAYS = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def behind(lane, tmp_path):
    """Start the admin side with these trusted proxies."""
    running = []

    def start(proxies: str) -> AdminServer:
        running.append(AdminServer(lane, tmp_path / "admin.log", ADMIN_TRUSTED_PROXIES=proxies).start())
        return running[-1]

    yield start
    for one in running:
        one.kill()


def login(server: AdminServer, token: str, **headers: str) -> requests.Response:
    return requests.post(
        f"{server.url}{LOGIN}", json={"token": token}, headers=headers, allow_redirects=False, timeout=60
    )


def failures_until_throttled(server: AdminServer, **headers: str) -> int:
    for count in range(50):
        if login(server, "wrong", **headers).status_code == 429:
            return count
    raise AssertionError("never throttled")


def is_throttled(server: AdminServer, **headers: str) -> bool:
    """Whether these tries count with the earlier ones.

    A busy machine comes back when the wait is over, which makes the next one longer; a newcomer has five tries free.
    """
    return 429 in [login(server, "wrong", **headers).status_code for _ in range(4)]


def test_the_cookie_is_for_tls_only_when_the_proxy_says_so(behind):
    server = behind("127.0.0.1")
    token = server.token(Role.VIEWER)
    assert "Secure" in login(server, token, **_SAYS).headers["Set-Cookie"]
    assert "Secure" not in login(server, token).headers["Set-Cookie"]


def test_one_visitors_wrong_tokens_do_not_lock_the_others_out(behind):
    server = behind("127.0.0.0/8")
    assert failures_until_throttled(server, **_SAYS) > 0
    assert is_throttled(server, **_SAYS)
    others = _SAYS | {"X-Forwarded-For": "198.51.100.2"}
    assert login(server, server.token(Role.VIEWER), **others).status_code == 303


def test_a_visitor_cannot_write_himself_another_address(behind):
    server = behind("127.0.0.1")
    failures_until_throttled(server, **_SAYS)
    invented = _SAYS | {"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}
    assert is_throttled(server, **invented)


def test_who_is_no_trusted_proxy_is_not_believed(behind):
    server = behind("10.1.2.3")
    assert "Secure" not in login(server, server.token(Role.VIEWER), **_SAYS).headers["Set-Cookie"]
    failures_until_throttled(server, **_SAYS)
    assert is_throttled(server, **_SAYS | {"X-Forwarded-For": "198.51.100.2"})
