import socket
from datetime import UTC, datetime, timedelta

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from antrian.domain.failure_class import FailureClass
from antrian.providers.http import LONGEST_RETRY_AFTER, Body, failure_of, parse_retry_after

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
POOL = urllib3.HTTPConnectionPool("provider.example")
CONNECTION = urllib3.connection.HTTPConnection("provider.example")


def retried(reason: Exception) -> MaxRetryError:
    return MaxRetryError(POOL, "/send-message", reason)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectionError(retried(NewConnectionError(CONNECTION, "refused"))), "refused"),
        (requests.ConnectionError(retried(NameResolutionError("host", CONNECTION, socket.gaierror()))), "unknown-host"),
        (requests.ConnectTimeout(retried(ConnectTimeoutError(CONNECTION, "slow"))), "connect-timeout"),
        (requests.exceptions.SSLError(retried(SSLError("handshake"))), "tls"),
        (requests.exceptions.ProxyError(retried(ProxyError("no proxy", OSError()))), "proxy"),
        (requests.exceptions.InvalidURL("http://["), "bad-address"),
        (requests.exceptions.MissingSchema("provider"), "bad-address"),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), "not-connected"),
        (OSError("no such file: CA bundle"), "not-connected"),
        (requests.ConnectionError(), "not-connected"),
    ],
)
def test_error_before_the_body_was_asked_for_is_an_outage(error: Exception, code: str) -> None:
    failed = failure_of(error, begun=False)

    assert (failed.failure_class, failed.code) == (FailureClass.UNAVAILABLE, code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ReadTimeout(ReadTimeoutError(POOL, "/", "slow")), "no-answer"),
        (requests.ConnectionError(ReadTimeoutError(POOL, "/", "stalled body")), "no-answer"),
        (ReadTimeoutError(POOL, "/", "stalled body"), "no-answer"),
        (TimeoutError(), "no-answer"),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), "connection-lost"),
        (ProtocolError("IncompleteRead"), "connection-lost"),
        (requests.exceptions.ChunkedEncodingError(ProtocolError("bad chunk")), "connection-lost"),
        # urllib3 reports a TLS error in the middle of the answer like a handshake that failed.
        (requests.exceptions.SSLError(retried(SSLError("bad record"))), "connection-lost"),
    ],
)
def test_error_after_the_body_was_asked_for_is_uncertain(error: Exception, code: str) -> None:
    failed = failure_of(error, begun=True)

    assert (failed.failure_class, failed.code) == (FailureClass.UNCERTAIN, code)


def test_body_knows_when_it_was_asked_for() -> None:
    body = Body(b"{}")
    before = body.begun
    body.seek(0, 2)
    after_measuring = body.begun
    body.seek(0)
    body.read(1)

    assert (before, after_measuring, body.begun) == (False, False, True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("1.5", 1.5),
        ("-5", None),
        ("5 minutes", None),
        ("nan", None),
        ("inf", None),
        ("\u0665", None),
        ("9" * 300, LONGEST_RETRY_AFTER),
        ("9" * 4000, None),
        ("Mon, 23 Nov 2026 12:00:07 GMT", 7.0),
        ("Mon, 23 Nov 2026 12:00:07", 7.0),
        ("Mon, 23 Nov 2026 12:00:07 -0000", 7.0),
        ("Mon, 23 Nov 2026 19:00:07 +0700", 7.0),
        ("Monday, 23-Nov-26 12:00:07 GMT", 7.0),
        ("Mon, 23 Nov 2026 11:59:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Mon, 23 Nov 2026 25:00:00 GMT", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(
    value=st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} [-+A-Z0-9]{1,6}")
)
def test_any_retry_after_is_bounded_or_none(value: str) -> None:
    seconds = parse_retry_after(value, NOW)

    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


@given(delay=st.integers(0, int(LONGEST_RETRY_AFTER)))
def test_date_and_seconds_mean_the_same(delay: int) -> None:
    date = (NOW + timedelta(seconds=delay)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    assert parse_retry_after(date, NOW) == parse_retry_after(str(delay), NOW)
