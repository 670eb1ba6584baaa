"""Checks of what is made of an answer: each failure in its class, and what nobody understands as uncertain."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.check import Area, Checks, demand, demand_class
from antrian.providers.conformance.fault_server import FaultServer, answer_after, answer_each, answer_with
from antrian.providers.conformance.probe import ProviderProbe, Situation, http_answer
from antrian.providers.conformance.request_checks import accepted_case
from antrian.providers.conformance.sending import SendAttempt, attempt, message
from antrian.providers.contract import Failed, Sent

CHECKS = Checks(Area.ANSWERS)

_HTML = b"<!DOCTYPE html><html><body><h1>Oops</h1></body></html>"
#: A day, in seconds: no `Retry-After` may stop a lane for longer.
_LONGEST_WAIT = 86_400.0
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_UNCERTAIN: Final = frozenset({FailureClass.UNCERTAIN})
_LANE_WAITS: Final = frozenset({FailureClass.UNAVAILABLE, FailureClass.UNCERTAIN})


@CHECKS.add()
def each_case_is_told_as_what_it_is(probe: ProviderProbe) -> None:
    """Every case of the description leads to its class, with the provider's id where it was accepted."""
    for case in probe.cases:
        got = attempt(probe, answer_each(case.answers))
        demand_class(got.result, {case.expected}, f"{case.name!r}")
        if isinstance(got.result, Sent):
            found = got.result.provider_id or ""
            demand(
                found == case.provider_id, f"{case.name!r}: the provider's id is {found!r}, not {case.provider_id!r}"
            )
        elif case.retry_after is not None:
            least, most = case.retry_after
            wait = got.result.retry_after
            demand(wait is not None and least <= wait <= most, f"{case.name!r}: retry_after is {wait}")


@CHECKS.add()
def one_send_makes_one_attempt(probe: ProviderProbe) -> None:
    """However the provider answers, the message goes to it once: whether to try again is decided elsewhere."""
    for case in probe.cases:
        _demand_one(probe, attempt(probe, answer_each(case.answers)), case.name)
    for status in (429, 500, 502, 503):
        _demand_one(probe, attempt(probe, answer_with(http_answer(status, _HTML))), f"HTTP {status}")


def _demand_one(probe: ProviderProbe, got: SendAttempt, when: str) -> None:
    path = probe.request.path
    sends = [request for request in got.requests if request.path == path]
    demand(len(sends) == 1, f"{when!r}: the message was sent {len(sends)} times in one attempt")
    more = len(got.requests) - 1
    demand(more <= probe.follows_up, f"{when!r}: {more} requests after the send, and {probe.follows_up} may follow")


@CHECKS.add()
def failures_say_what_they_are_in_a_bounded_way(probe: ProviderProbe) -> None:
    """A failure's code is a short constant, and its detail one line of at most 200 characters."""
    for case in probe.cases:
        results = [attempt(probe, answer_each(case.answers), message(probe, text)).result for text in ("Satu", "Dua")]
        codes = [result.code for result in results if isinstance(result, Failed)]
        demand(len(set(codes)) <= 1, f"{case.name!r}: the code follows from the message: {codes}")
        for result in results:
            if isinstance(result, Failed):
                demand(_CODE.fullmatch(result.code), f"{case.name!r}: {result.code!r} is no short constant")
                _demand_short(result.detail, case.name)
    complaints = ("kata\n" * 400, "Number 17 is odd")
    complained = [attempt(probe, answer_each([probe.complain(words)])).result for words in complaints]
    codes = [result.code for result in complained if isinstance(result, Failed)]
    demand(len(codes) == len(complaints), "a complaint of the provider is told as accepted")
    demand(len(set(codes)) == 1, f"two complaints lead to two codes: {codes}; a code is one of a few constants")
    for result in complained:
        if isinstance(result, Failed):
            _demand_short(result.detail, "a complaint")


def _demand_short(detail: str, when: str) -> None:
    demand(detail, f"{when!r}: the failure says nothing in `detail`")
    demand(len(detail) <= 200, f"{when!r}: `detail` has {len(detail)} characters, and 200 are allowed")  # noqa: PLR2004
    demand(detail.isprintable(), f"{when!r}: `detail` is not one printable line: {detail!r}")


@CHECKS.add(lambda probe: probe.case(Situation.THROTTLED) is not None)
def a_throttled_send_waits_as_long_as_the_provider_says(probe: ProviderProbe) -> None:
    """`Retry-After` is read as seconds or as a date, and one that is absurd stops nothing for ever."""
    case = probe.case(Situation.THROTTLED)
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1800), usegmt=True)
    for said, least, most in (("7", 7, 7), ("120", 120, 120), (soon, 1200, 1800)):
        wait = _told_wait(probe, case.answers if case else (), said)
        demand(wait is not None and least <= wait <= most, f"Retry-After: {said} was read as {wait}")
    for said in ("99999999999", "-5", "soon", "", "1e9", "NaN", "Wed, 99 Foo 2026 00:00:00 GMT", "9" * 4000):
        wait = _told_wait(probe, case.answers if case else (), said)
        demand(wait is None or 0 <= wait <= _LONGEST_WAIT, f"Retry-After: {said[:20]} was read as {wait}")


def _told_wait(probe: ProviderProbe, answers: tuple[bytes, ...], said: str) -> float | None:
    first = answers[0].replace(b"\r\n", f"\r\nRetry-After: {said}\r\n".encode(), 1)
    result = attempt(probe, answer_each([first, *answers[1:]])).result
    demand_class(result, {FailureClass.THROTTLED}, f"throttled, with Retry-After: {said[:20]}")
    return result.retry_after if isinstance(result, Failed) else None


@CHECKS.add()
def a_success_that_cannot_be_read_is_uncertain(probe: ProviderProbe) -> None:
    """Broken JSON, JSON of another form, or HTML with a status of success: the message may have gone."""
    bodies = (_HTML, b"", b"{", b'{"status": tr', b"[]", b"null", b"17", b'"ok"', b"\xff\xfe\x00", b"[" * 60_000)
    for status in (200, 201, 202):
        for body in bodies:
            result = attempt(probe, answer_with(http_answer(status, body))).result
            demand_class(result, _UNCERTAIN, f"HTTP {status} with {body[:20]!r}", "the message may have gone")


@CHECKS.add()
def a_web_server_that_answers_in_the_provider_s_place_is_not_believed(probe: ProviderProbe) -> None:
    """A page of a proxy says where the request may have been, and never that the message can be sent again freely."""
    for status, allowed in (
        (500, _UNCERTAIN),
        (502, _UNCERTAIN),
        (504, _UNCERTAIN),
        (503, _LANE_WAITS | {FailureClass.THROTTLED}),
        (429, frozenset({FailureClass.THROTTLED})),
        (404, _LANE_WAITS),
        (403, _LANE_WAITS),
        (401, _LANE_WAITS),
    ):
        result = attempt(probe, answer_with(http_answer(status, _HTML))).result
        demand_class(result, allowed, f"HTTP {status} with an HTML page")


@CHECKS.add()
def a_redirect_is_not_followed(probe: ProviderProbe) -> None:
    """What the provider is told goes nowhere else, and the key least of all."""
    for status in (301, 302, 303, 307, 308):
        with_location = _redirected(probe, status)
        demand_class(with_location.result, _LANE_WAITS, f"HTTP {status} with a Location")


def _redirected(probe: ProviderProbe, status: int) -> SendAttempt:
    elsewhere: list[object] = []

    def note(connection: object) -> None:
        elsewhere.append(connection)
        raise ConnectionAbortedError

    with FaultServer(note) as other:
        answer = http_answer(status, b"", Location=f"{other.url}{probe.request.path}")
        got = attempt(probe, answer_with(answer))
        demand(not other.connections, f"HTTP {status} was followed to another server")
    demand(len(got.requests) <= 1 + probe.follows_up, f"HTTP {status} was followed")
    return got


@CHECKS.add()
def a_huge_answer_is_read_or_cut(probe: ProviderProbe) -> None:
    """A megabyte before the provider's own words changes nothing, and a megabyte of HTML is uncertain."""
    case = accepted_case(probe)
    head, _, body = case.answers[0].partition(b"\r\n\r\n")
    padded = _with_body(head, b" " * 1_000_000 + body)
    got = attempt(probe, answer_each([padded, *case.answers[1:]])).result
    demand_class(got, {None, FailureClass.UNCERTAIN}, "an accepted message with a megabyte of spaces")
    junk = attempt(probe, answer_with(http_answer(200, _HTML * 20_000))).result
    demand_class(junk, _UNCERTAIN, "a megabyte of HTML")
    if isinstance(junk, Failed):
        _demand_short(junk.detail, "a megabyte of HTML")


def _with_body(head: bytes, body: bytes) -> bytes:
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", b""]) + body


@CHECKS.add()
def a_slow_answer_is_waited_for(probe: ProviderProbe) -> None:
    """What comes late, but within the patience, counts."""
    result = attempt(probe, answer_after(0.5, accepted_case(probe).answers[0])).result
    demand_class(result, {None}, "accepted after half a second")
