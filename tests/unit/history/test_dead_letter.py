import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pika
import pytest
from desk_records import dead_record
from factories import NOW, PHONE, make_message
from rich.console import Console

from antrian.broker.queue_scan.publication import Found
from antrian.broker.topology import Names
from antrian.domain.headers import write_failures
from antrian.domain.message import AttemptFailure, Message, encode, retry_of
from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.dead_letter_export import ExportFormat, exported
from antrian.operations.dead_letters.dead_letter_view import Groups, card, csv_row, details, letter_table, summary
from antrian.operations.dead_letters.selection import EVERYTHING, is_meant

NAMES = Names("wa")
TIMEOUT = AttemptFailure(3, NOW, "transient", "timeout", "no answer in time")


def found(message: Message, key: str = "default", headers: dict[str, object] | None = None) -> Found:
    body, properties = encode(message)
    properties.headers = (properties.headers or {}) | (headers or {})
    return Found(NAMES.dead, key, properties, body)


def letter(message: Message | None = None, failure: AttemptFailure = TIMEOUT, **fields: object) -> DeadLetter:
    dead = retry_of(message or make_message(**fields), failure, attempt=failure.attempt)
    return DeadLetter.of(found(dead), NAMES, now=NOW)


def unreadable(body: bytes = b"{oops") -> DeadLetter:
    failure = AttemptFailure(0, NOW, "malformed", "not-json", "the body is not JSON")
    properties = pika.BasicProperties(app_id="legacy", headers=write_failures((failure,)))
    return DeadLetter.of(Found(NAMES.dead, "default", properties, body), NAMES, now=NOW)


def shown(renderable: object) -> str:
    console = Console(width=200, file=StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_a_letter_tells_what_its_last_failure_was():
    dead = letter()
    assert (dead.failure_class, dead.code, dead.attempts, dead.died_at) == ("transient", "timeout", 3, NOW)
    assert (dead.message_id, dead.lane, dead.generation, dead.source) == ("m1", "default", 1, "test")


def test_an_unreadable_letter_keeps_its_reason_and_its_body():
    dead = unreadable()
    assert (dead.message, dead.failure_class, dead.code, dead.attempts) == (None, "malformed", "not-json", 0)
    assert dead.problem
    assert dead.body == b"{oops"
    assert dead.source == "legacy"


def test_the_lane_of_the_brokers_own_dead_letters_is_the_last_word_of_their_key():
    deaths = [{"queue": "wa.lane.default", "reason": "rejected", "time": datetime.fromtimestamp(NOW, UTC)}]
    dead = DeadLetter.of(found(make_message(), "0.0.1.default", {"x-death": deaths}), NAMES, now=NOW)
    assert (dead.lane, dead.failure_class, dead.code, dead.died_at) == ("default", "broker", "rejected", NOW)


def test_a_strangers_key_still_makes_a_lane_that_an_event_can_name():
    lane = DeadLetter.of(found(make_message(), "\u0665" * 120), NAMES, now=NOW).lane
    assert lane == "?" * 40


def test_the_ladders_marks_are_no_reason_of_death():
    deaths = [{"queue": "wa.delay.03", "reason": "expired", "time": datetime.fromtimestamp(NOW, UTC)}]
    assert DeadLetter.of(found(make_message(), headers={"x-death": deaths}), NAMES, now=NOW).code == "unknown"


@pytest.mark.parametrize(
    "headers", [{"x-death": "no"}, {"x-death": [3]}, {"antrian-failures": "no"}, {"antrian-attempt": "x"}]
)
def test_strange_headers_never_break_the_reading(headers):
    assert DeadLetter.of(found(make_message(), headers=headers), NAMES, now=NOW).message_id == "m1"


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (EVERYTHING, True),
        (DeadFilter(ids=frozenset({"m1", "m2"})), True),
        (DeadFilter(ids=frozenset({"m2"})), False),
        (DeadFilter(code="timeout"), True),
        (DeadFilter(code="busy"), False),
        (DeadFilter(failure_class="transient", source="test", lane="default"), True),
        (DeadFilter(failure_class="transient", source="other"), False),
        (DeadFilter(lane="other"), False),
        (DeadFilter(since=NOW, until=NOW + 1), True),
        (DeadFilter(until=NOW), False),
        (DeadFilter(text="Halo"), False),
        ({("m1", 1)}, True),
        ({("m1", 2)}, False),
    ],
)
def test_a_filter_takes_what_fits_everything_given(wanted, fits):
    assert is_meant(letter(), wanted) is fits


def test_groups_count_by_reason_the_largest_first():
    groups = Groups()
    for code, at in (("busy", NOW), ("timeout", NOW), ("timeout", NOW - 50), ("timeout", NOW - 9)):
        groups.add(letter(failure=AttemptFailure(1, at, "transient", code, "")))
    first, second = groups.ranked()
    assert (first.code, first.count, first.oldest, first.newest) == ("timeout", 3, NOW - 50, NOW)
    assert (second.code, second.count) == ("busy", 1)


def test_lists_mask_the_number_and_hide_the_text():
    text = shown(letter_table([letter(), unreadable()], NOW)) + json.dumps(summary(letter()))
    assert "+62 812-••••-7890" in text
    assert PHONE not in text
    assert "Halo" not in text
    assert "unreadable" in text


def test_the_card_shows_everything():
    text = shown(card(letter(key="invoice-17")))
    for part in (PHONE, "Halo", "invoice-17", "attempt 3", "transient / timeout: no answer in time"):
        assert part in text


def test_the_card_of_an_unreadable_letter_shows_its_body():
    text = shown(card(unreadable(b"{oops \xff")))
    assert "{oops" in text
    assert "not attempted" in text


def test_details_hold_the_whole_message_for_programs():
    answer = details(letter())
    assert answer["body"]["phone_number"] == PHONE
    assert answer["failures"][0]["code"] == "timeout"
    assert details(unreadable())["body"] == "{oops"


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(text):
    message = make_message()
    body = message.body.model_copy(update={"message": text})
    row = csv_row(letter(Message("m1", "default", 5, body, NOW)))
    assert row["message"] == f"'{text}"
    assert row["phone_number"] == PHONE[1:]


def test_an_export_of_a_recorded_letter_has_its_attempts():
    # The journal keeps no header that lists the failures, so only the record knows how many attempts there were.
    row = csv_row(DeadLetter.recorded(dead_record(attempts=3), NAMES))
    assert row["attempts"] == "3"
    assert csv_row(unreadable())["attempts"] == "0"


def test_an_export_appears_when_it_is_complete_and_belongs_to_its_owner(tmp_path):
    target = tmp_path / "dead.csv"
    with exported(target, ExportFormat.CSV) as write:
        write(letter())
        assert not target.exists()
    [row] = csv.DictReader(target.read_text().splitlines())
    assert (row["message_id"], row["code"]) == ("m1", "timeout")
    assert target.stat().st_mode & 0o777 == 0o600


def test_an_export_that_breaks_off_leaves_nothing(tmp_path):
    def break_off() -> None:
        with exported(tmp_path / "dead.jsonl", ExportFormat.JSONL) as write:
            write(letter())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert list(tmp_path.iterdir()) == []
