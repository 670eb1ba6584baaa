"""What the dashboard's pure modules decide; evaluated in the browser that they are made for."""

from collections.abc import Iterator

import pytest
from browser_client import Visitor
from lane_with_admin import open_shared_stage
from playwright.sync_api import Page

from admin_api.auth.urls import PREFIX
from admin_api.dashboard import assets
from antrian.domain.hold import LADDER_HOLDS, HoldReason


@pytest.fixture(scope="module")
def page(browser, broker_url, tmp_path_factory) -> Iterator[Page]:
    """The one page of all these tests: pure functions leave nothing behind in it."""
    with open_shared_stage(broker_url, tmp_path_factory.mktemp("stage")) as stage:
        visitor = Visitor(browser, stage.admin)
        yield visitor.go("/login")
        visitor.close()
        assert visitor.trouble == []


@pytest.fixture
def decide(page):
    """Call an exported function of a module with JSON values."""
    script = """([address, name, values]) => import(address).then(module => module[name](...values))"""

    def call(module, name, *values):
        return page.evaluate(script, [f"{PREFIX}/static/{assets.version()}/{module}", name, list(values)])

    return call


def event(name, at, message_id="", attempt=0, **details):
    more = {"message_id": message_id, "attempt": attempt, "generation": 0, "source": "x", "lane": "default"}
    return {"name": name, "at": at, "details": details, **more}


def told(rows):
    return [(row["kind"], row["name"], row["count"], row["event"]["message_id"]) for row in rows]


def test_events_that_belong_together_are_one_row(decide):
    sent = [event("outcome.sending", 100, "a", 1), event("outcome.sent", 100.4, "a", 1)]
    failed = {"failure_class": "unavailable", "code": "connection-refused"}
    outage = [
        one
        for number in range(8)
        for one in (
            event("outcome.sending", 110 + number, "b" if number < 5 else "c", 1),
            event("outcome.failed", 110.5 + number, "b" if number < 5 else "c", 1, **failed),
        )
    ]
    dead = [
        event("outcome.sending", 130, "d", 1),
        event("outcome.failed", 130.1, "d", 1, failure_class="rejected", code="x"),
        event("outcome.dead", 130.2, "d", 0, reason="rejected"),
    ]
    cleared = [event("outcome.cleared", 140 + n / 1000, f"e{n}", undo_id="u") for n in range(400)]
    cleared.append(event("lane.cleared", 141, undo_id="u", queued=400, failed=0))
    alone = [event("outcome.cancelled", 150 + n, f"f{n}") for n in range(3)]

    rows = decide("feed_rows.js", "rowsOf", [*alone, *sent, *outage, *dead, *cleared, *sent])

    assert told(rows) == [
        ("event", "outcome.cancelled", 3, "f2"),
        ("event", "lane.cleared", 1, ""),
        ("attempt", "outcome.dead", 1, "d"),
        ("attempt", "outcome.failed", 8, "c"),
        ("attempt", "outcome.sent", 1, "a"),
    ]
    assert (rows[2]["failure"], rows[3]["from"], rows[3]["at"]) == ("rejected", 110, 117.5)
    assert rows[4]["at"] - rows[4]["began"] == pytest.approx(0.4)


RUNNING = {"next_send_reason": "pause", "running": True, "paused": False, "failed_messages": 0}


@pytest.mark.parametrize(
    ("known", "kind", "tone"),
    [
        ({"state": "live", "status": RUNNING}, "live", "good"),
        ({"state": "live", "status": RUNNING | {"paused": True, "next_send_reason": "paused"}}, "paused", "held"),
        ({"state": "live", "status": RUNNING | {"next_send_reason": "unavailable"}}, "unavailable", "held"),
        ({"state": "live", "status": RUNNING | {"running": False, "paused": True}}, "no-consumer", "bad"),
        ({"state": "live", "status": RUNNING, "trouble": {"detail": "x"}}, "away", "bad"),
        ({"state": "live", "status": None, "trouble": {"code": "broker-away"}}, "away", "bad"),
        ({"state": "polling", "status": None, "trouble": {"code": "internal"}}, "error", "bad"),
        ({"state": "lost", "status": RUNNING, "trouble": {"code": "broker-away"}}, "lost", "bad"),
        ({"state": "live", "status": RUNNING, "age": 16}, "silent", "held"),
        ({"state": "polling", "status": RUNNING}, "polling", "held"),
        ({"state": "", "status": None}, "off", "off"),
    ],
)
def test_one_state_for_everything(decide, known, kind, tone):
    found = decide("overall.js", "overall", {"trouble": None, **known})
    assert (found["kind"], found["tone"]) == (kind, tone)


def test_a_difference_between_broker_and_history_is_told_only_when_it_lasts(decide):
    def status(at, waiting, since=None):
        history = {"differences": {"waiting": waiting, "failed": 0}, "caught_up": True, "differs_since": since}
        return {"at": at, "history": history}

    before = None
    for at, waiting in ((0, 4), (4, 4), (6, 3), (10, 3)):
        before = decide("honesty.js", "lasting", before, status(at, waiting))
        assert "differ" not in decide("honesty.js", "honesty", status(at, waiting), 0, before, False)  # noqa: FBT003
    before = decide("honesty.js", "lasting", before, status(11, 3))
    assert "differ: waiting +3" in decide("honesty.js", "honesty", status(11, 3), 0, before, False)  # noqa: FBT003
    known = decide("honesty.js", "lasting", None, status(11, 3, since=2))
    assert known["since"] == 2


@pytest.mark.parametrize(
    ("known", "waiting", "width", "expected"),
    [
        (1, 1, 1000, {"known": 1, "unknown": 0, "rest": 0}),
        (10, 12, 1000, {"known": 10, "unknown": 2, "rest": 0}),
        (10, 400, 1000, {"known": 10, "unknown": 26, "rest": 364}),
        (10, 400, 320, {"known": 6, "unknown": 0, "rest": 394}),
        (0, 0, 1000, {"known": 0, "unknown": 0, "rest": 0}),
    ],
)
def test_as_many_dots_as_fit_and_the_rest_as_a_number(decide, known, waiting, width, expected):
    assert decide("queue_line.js", "fit", [{"message_id": str(n)} for n in range(known)], waiting, width) == expected


def test_one_message_of_a_paused_lane_is_on_its_way_until_it_is_sent_or_late(decide):
    tried, rest = {"id": "m1", "until": 10}, {"message_id": "m2"}

    def is_on_its_way(status, now=1):
        return bool(decide("dashboard_actions.js", "isOnItsWay", tried, {"paused": True} | status, now))

    assert is_on_its_way({"next_messages": [{"message_id": "m1"}, rest]})
    assert is_on_its_way({"next_messages": [rest], "sending": {"message_id": "m1"}})
    assert not is_on_its_way({"next_messages": [rest], "sending": None})
    assert not is_on_its_way({"next_messages": [{"message_id": "m1"}]}, now=11)
    assert not is_on_its_way({"paused": False, "next_messages": [{"message_id": "m1"}]})


#: Of 2026-11-30 12:00 in the browser's own zone, whatever that is.
_NOON = "() => new Date(2026, 10, 30, 12).getTime() / 1000"


@pytest.mark.parametrize(
    ("hold", "after", "words"),
    [
        ("cold_cap", 24.5, "its turn comes tomorrow at 12:30."),
        ("cold_held", 3, "they are tried again at 15:00."),
        ("window", 44, "its turn comes on Wed, Dec 2 at 08:00."),
        ("retry", None, "An attempt failed; the next one follows."),
        # An end that is over is none.
        ("throttled", -1, "The provider asked for a pause."),
        ("of-a-later-version", 1, "Of-a-later-version"),
    ],
)
def test_why_a_message_waits_is_one_sentence_with_the_end_of_the_wait(decide, page, hold, after, words):
    noon = page.evaluate(_NOON)
    until = None if after is None else noon + after * 3600
    assert decide("hold_words.js", "holdSentence", {"reason": hold, "until": until, "rule": ""}, noon).endswith(words)


def test_a_sender_that_needs_a_person_is_not_called_a_provider_that_does_not_answer(decide):
    hold = {"reason": "provider_away", "until": None, "rule": "the sender must scan a QR code"}
    assert decide("hold_words.js", "holdSentence", hold, 0) == "The sender must scan a QR code."
    assert decide("hold_words.js", "ruleLine", hold["rule"]) == "The sender must scan a QR code."
    status = {"next_send_reason": "unavailable", "hold": hold}
    assert decide("reasons.js", "explain", status, 5)[0] == "The sender must scan a QR code"


def test_every_reason_has_its_words(decide):
    reasons = [str(reason) for reason in HoldReason]
    assert [one for one in reasons if decide("hold_words.js", "reasonWord", one) == one and one != "scheduled"] == []
    assert {one for one in reasons if decide("hold_words.js", "canRelease", one)} == set(LADDER_HOLDS)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("cold_daily_cap 20", "at most 20 new contacts a day"),
        ("hourly_cap 1", "at most 1 message an hour"),
        ("recipient_gap 90", "at least 1 min 30 s between two messages to one person"),
        (
            "warm_up 20x1.5..100 day 3: 45",
            "new contacts a day: 20 at first, 1.5 times as many each day, at most 100; this is day 3",
        ),
        ("window low=08:00-20:00 Asia/Jakarta", "priority low: 08:00\N{EN DASH}20:00, time of Jakarta"),
        ("cold_refused", ""),
        ("something new", "something new"),
    ],
)
def test_a_rule_is_told_in_plain_words(decide, rule, words):
    assert decide("hold_words.js", "ruleWords", rule) == words


def test_a_message_that_was_held_twenty_times_has_one_step_for_it(decide):
    def step(at, name="outcome.held", **details):
        return {"name": name, "at": at, "until": at, "gap": 5, "details": details}

    held = [step(10 + number, reason="cold_cap", until=100 + number) for number in range(20)]
    steps = [
        step(1, "message.queued"),
        *held,
        step(40, reason="window"),
        step(50, "outcome.released"),
        step(60, reason="window"),
    ]
    folded = decide("life.js", "foldHolds", steps)
    assert [(one["name"], one.get("times")) for one in folded] == [
        ("message.queued", None),
        ("outcome.held", 20),
        ("outcome.held", 1),
        ("outcome.released", None),
        ("outcome.held", 1),
    ]
    # From the first on, and until when as the last says.
    assert (folded[1]["at"], folded[1]["until"], folded[1]["details"]["until"]) == (10, 29, 119)


def test_the_curve_of_a_warm_up_marks_today_also_after_its_end(decide):
    def drawn(day):
        return [
            (one["cap"], one["isPast"], one["isToday"])
            for one in decide("warm_up_curve.js", "bars", {"day": day, "caps": [20, 30, 45]})
        ]

    assert drawn(2) == [(20, True, False), (30, False, True), (45, False, False)]
    assert drawn(40) == [(20, True, False), (30, True, False), (45, False, True)]


def test_what_is_left_of_a_budget_is_told_and_no_limit_too(decide):
    assert decide("budget_card.js", "lineWords", {"used": 45, "cap": 45, "left": 0}) == ["45 sent", "0 of 45 left"]
    assert decide("budget_card.js", "lineWords", {"used": 3, "cap": 0, "left": None}) == ["3 sent", "no limit"]


def test_a_plan_is_two_sentences_and_the_senders_that_a_deadline_takes(decide, page):
    noon = int(page.evaluate("() => Math.floor(new Date().setHours(12, 0, 0, 0) / 1000)"))
    seconds = {"p50": 7200, "p90": 9000}
    assert decide(
        "plan_view.js", "doneWords", {"finish": {"p50": noon + 7200, "p90": noon + 9000}, "seconds": seconds}
    ) == ("Probably done at 14:00, after 2 h. Almost surely done at 14:30.")
    assert decide("plan_view.js", "doneWords", {"finish": {"p50": noon, "p90": noon}, "seconds": seconds}) == (
        "Probably done at 12:00, after 2 h."
    )
    needed = [decide("plan_view.js", "sendersWords", {"senders_needed": number}) for number in (None, 0, 1, 3)]
    assert needed == [
        "",
        "No number of senders is enough for the deadline.",
        "One sender is enough for the deadline.",
        "The deadline takes 3 senders.",
    ]


def test_a_lane_at_its_limit_says_when_it_goes_on_and_one_whose_messages_are_held_says_so(decide):
    status = RUNNING | {"next_send_reason": "daily_cap", "next_send_in": 3600}
    headline, words = decide("reasons.js", "explain", status, 3600)
    assert (headline, words[0]) == ("Sending goes on in 1 h", "As many messages as allowed were sent today.")
    assert decide("overall.js", "overall", {"state": "live", "status": status})["kind"] == "capped"
    held = RUNNING | {"next_send_reason": "nothing-waits", "held": 36, "scheduled": 1}
    assert decide("reasons.js", "explain", held, None) == [
        "All that waits is held",
        ["36 messages wait for their time; the reasons are below."],
    ]
