import json
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pika
import pytest
from factories import LANE, NOW, make_event
from hypothesis import given
from hypothesis import strategies as st
from journal_entries import NAMES, Journal, dump, fold

from antrian.broker.stream.entry import StreamEntry
from antrian.domain import contact_event
from antrian.domain.events import EVENT_PROPERTIES
from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries.report import Period
from antrian.history.records import FINAL, DeadFilter, MessageFilter, MessageState


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "history-wa.db"


def state(path, journal, message_id="m1"):
    return fold(path, journal.deliveries).message(message_id).state


def test_a_published_message_waits(path, journal):
    journal.queued("m1", priority="high", idempotency_key="k1")
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.priority, message.idempotency_key) == (MessageState.WAITING, 9, "k1")
    assert (message.text, message.source, message.queued_at) == ("Halo", "test", NOW)


def test_a_sent_message_has_the_providers_id(path, journal):
    journal.queued()
    journal.sent(attempt=2)
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.provider_id, message.attempt) == (MessageState.SENT, "p-m1", 2)
    assert message.sent_at == NOW + 2


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("sending", MessageState.SENDING),
        ("duplicate", MessageState.DUPLICATE),
        ("expired", MessageState.EXPIRED),
        ("cancelled", MessageState.CANCELLED),
        ("cleared", MessageState.CLEARED),
        ("opted_out", MessageState.OPTED_OUT),
        ("dead", MessageState.DEAD),
        ("cancelling", MessageState.WAITING),
    ],
)
def test_an_outcome_says_where_a_message_is(path, journal, outcome, expected):
    journal.queued()
    journal.outcome(outcome)
    assert state(path, journal) is expected


def test_a_retry_waits_on_the_ladder_until_it_is_due(path, journal):
    journal.queued()
    journal.outcome("sending")
    journal.outcome("failed", failure_class="transient", code="busy", detail="words")
    journal.outcome("retrying", due_at=4e9, next_attempt=2)
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.due_at, message.code) == (MessageState.RETRYING, 4e9, "busy")


def test_a_postponed_message_waits_on_the_ladder_and_no_attempt_is_counted(path, journal):
    journal.queued(purpose="reminder", correlation_id="order-4711", deliver_at=datetime.fromtimestamp(NOW + 500, UTC))
    journal.outcome("postponed", attempt=1, reason="deliver-at", due_at=NOW + 500, correlation_id="order-4711")
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.due_at) == (MessageState.SCHEDULED, NOW + 500)
    assert (message.attempt, message.generation) == (0, 0)
    assert (message.purpose, message.correlation_id, message.deliver_at) == ("reminder", "order-4711", NOW + 500)
    journal.sent()
    assert fold(path, journal.deliveries).message("m1").state is MessageState.SENT


def test_a_message_of_a_newer_version_is_scheduled_and_says_why(path, journal):
    properties = pika.BasicProperties(message_id="m1", priority=5, app_id="shop")
    journal.add(NAMES.messages, LANE, b'{"version": 9999, "to": "somebody"}', properties)
    due_at = time.time() + 600
    journal.outcome(
        "postponed", attempt=0, reason="newer-version", version=3, due_at=due_at, detail="needs a newer one"
    )
    history = fold(path, journal.deliveries)
    message = history.message("m1")
    assert (message.state, message.due_at, message.detail) == (MessageState.SCHEDULED, due_at, "needs a newer one")
    assert (message.source, message.text) == ("", "")
    assert history.counts()[MessageState.SCHEDULED] == 1


@pytest.mark.parametrize("late", ["sending", "sent", "dead", "cancelled"])
def test_a_postponement_says_nothing_about_a_message_that_has_gone_on(path, journal, late):
    journal.queued()
    journal.outcome(late)
    before = state(path, journal)
    journal.outcome("postponed", due_at=NOW + 100_000)
    assert state(path, journal) is before


def test_a_delayed_message_whose_time_is_over_waits(path, journal):
    journal.queued("m1")
    journal.outcome("retrying", "m1", due_at=NOW - 3e8)
    history = fold(path, journal.deliveries)
    assert history.message("m1").state is MessageState.WAITING
    assert history.message("m1").due_at is None
    assert history.counts()[MessageState.WAITING] == 1
    assert [one.message_id for one in history.next_messages("default")] == ["m1"]
    for wanted, found in ((MessageState.WAITING, 1), (MessageState.RETRYING, 0)):
        assert len(history.messages(MessageFilter(states=frozenset({wanted}))).items) == found


def test_a_scheduled_message_has_waited_since_its_time(path, journal):
    journal.scheduled("m1", seconds=30)
    journal.outcome("sent", "m1", provider_id="p1", due_at=journal.now - 0.5)
    journal.queued("m2")
    journal.outcome("sent", "m2", provider_id="p2")
    [bucket] = fold(path, journal.deliveries).analytics([NOW, NOW + 60])
    assert bucket.waits["normal"].mean == 0.75


@pytest.mark.parametrize("due_at", ["soon", True, -1, 1e400, None])
def test_a_time_that_makes_no_sense_does_not_count(path, journal, due_at):
    journal.queued("m1")
    journal.outcome("sent", "m1", provider_id="p1", due_at=due_at)
    [bucket] = fold(path, journal.deliveries).analytics([NOW, NOW + 60])
    assert bucket.waits["normal"].mean == 1.0


def test_a_scheduled_message_is_due_when_its_key_says_so(path, journal):
    journal.scheduled("m1", seconds=4 * 3600)
    message = fold(path, journal.deliveries).message("m1")
    assert message.state in {MessageState.SCHEDULED, MessageState.WAITING}
    journal.scheduled("m2", seconds=10_000_000)
    history = fold(path, journal.deliveries)
    assert history.message("m2").due_at is None or history.message("m2").due_at == NOW + 1 + 10_000_000


def test_a_message_that_the_lane_had_to_hold_keeps_its_place(path, journal):
    journal.queued("m1")
    journal.queued("m2")
    journal.outcome("sending", "m1")
    journal.outcome("failed", "m1", failure_class="unavailable", code="down", hold=2.0)
    history = fold(path, journal.deliveries)
    assert [one.message_id for one in history.next_messages("default")] == ["m1", "m2"]


def test_a_copy_of_a_known_generation_resets_nothing(path, journal):
    journal.queued()
    journal.sent()
    journal.queued()
    assert state(path, journal) is MessageState.SENT
    journal.queued("m2")
    journal.outcome("sending", "m2")
    journal.queued("m2")
    assert state(path, journal, "m2") is MessageState.SENDING


def test_a_sent_message_stays_sent(path, journal):
    journal.queued()
    journal.sent()
    journal.outcome("failed", failure_class="transient", code="late")
    journal.queued(generation=3)
    assert state(path, journal) is MessageState.SENT


def test_a_late_report_of_an_attempt_that_is_over_says_nothing_new(path, journal):
    journal.queued()
    journal.outcome("sending")
    journal.outcome("uncertain")
    journal.outcome("sending", attempt=2)
    journal.outcome("failed", attempt=1, failure_class="rejected", code="late")
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.code) == (MessageState.SENDING, "crash")


def test_a_send_is_counted_once_however_often_it_is_reported(path, journal):
    journal.queued()
    for _ in range(3):
        journal.outcome("sent")
    [bucket] = fold(path, journal.deliveries).analytics([NOW, NOW + 60])
    assert (bucket.queued, bucket.sent, bucket.waiting) == (1, 1, 0)


def test_a_dead_letter_is_listed_with_its_cause(path, journal):
    journal.queued()
    journal.outcome("sending")
    journal.outcome("failed", failure_class="transient", code="timeout")
    journal.buried()
    journal.outcome("dead", reason="attempts")
    history = fold(path, journal.deliveries)
    letter = history.dead_letter("m1")
    assert (letter.generation, letter.code, letter.failure_class, letter.attempts) == (1, "timeout", "transient", 3)
    assert (letter.text, letter.phone_number, letter.problem) == ("Halo", "+6281234567890", "")
    assert history.counts()[MessageState.DEAD] == 1
    assert history.dead_ids() == [("m1", 1)]


def test_a_dead_letter_whose_stream_dropped_its_failures_has_the_cause_that_the_events_tell(path, journal):
    journal.queued()
    journal.outcome("sending")
    journal.outcome("failed", failure_class="rejected", code="not-on-whatsapp", detail="words")
    journal.buried()
    del journal.deliveries[-1].properties.headers["antrian-failures"]
    history = fold(path, journal.deliveries)
    [group] = history.dead_groups(DeadFilter())
    assert (group.failure_class, group.code, group.detail) == ("rejected", "not-on-whatsapp", "words")
    assert history.dead_letter("m1").attempts == 1


def test_a_dead_letter_that_nobody_can_read_is_listed_with_the_problem(path, journal):
    journal.add(NAMES.dead, "default", b"{oops")
    [letter] = fold(path, journal.deliveries).dead_letters().items
    assert (letter.body, letter.text) == (b"{oops", "")
    assert letter.problem


def test_a_redriven_letter_is_gone_when_its_copy_is_there_and_not_before(path, journal):
    journal.queued()
    journal.buried()
    journal.outcome("redriven", generation=1)
    history = fold(path, journal.deliveries)
    assert history.dead_count() == 1
    journal.queued(generation=2)
    history = fold(path, journal.deliveries)
    assert history.dead_count() == 0
    assert history.message("m1").state is MessageState.WAITING
    assert history.counts()[MessageState.DEAD] == 0


def test_an_edited_copy_and_its_original_know_each_other(path, journal):
    journal.queued()
    journal.buried()
    journal.outcome("redriven", generation=1, copy="m2")
    history = fold(path, journal.deliveries)
    assert history.dead_count() == 1
    journal.queued("m2", text="Edited")
    history = fold(path, journal.deliveries)
    assert (history.message("m1").copied_to, history.message("m2").copy_of) == ("m2", "m1")
    assert history.message("m1").state is MessageState.PURGED
    assert history.dead_count() == 0


def test_a_purged_letter_is_gone_and_can_be_found_by_its_undo_id(path, journal):
    journal.queued()
    journal.buried()
    journal.outcome("purged", generation=1, undo_id="u1", source="cli:ani")
    journal.event("dead.purged", "", undo_id="u1", count=1, source="cli:ani")
    history = fold(path, journal.deliveries)
    assert history.dead_count() == 0
    assert history.message("m1").state is MessageState.PURGED
    [removed] = history.removed("u1")
    assert (removed.generation, removed.dead.code, removed.restored) == (1, "timeout", False)
    removal = history.removal("u1")
    assert (removal.kind, removal.count, removal.actor, removal.undone_at) == ("purge", 1, "cli:ani", None)


def test_a_letter_that_an_undo_put_back_is_a_dead_letter_again(path, journal):
    journal.queued()
    journal.buried()
    journal.outcome("purged", generation=1, undo_id="u1")
    journal.buried()
    journal.outcome("restored", generation=1, undo_id="u1", queue="wa.dead")
    journal.event("undo.done", "", undo_id="u1", restored=1, source="web:ani")
    history = fold(path, journal.deliveries)
    assert history.dead_ids() == [("m1", 1)]
    assert history.message("m1").state is MessageState.DEAD
    assert [one.restored for one in history.removed("u1")] == [True]
    history_removal = history.removal("u1")
    assert history_removal is None or history_removal.undone_by in {"web:ani", None}
    assert sum(bucket.dead for bucket in history.analytics([NOW, NOW + 60])) == 1


def test_a_cleared_message_that_was_put_back_waits(path, journal):
    journal.queued()
    journal.outcome("cleared", undo_id="u1", queue="wa.lane.default")
    journal.event("lane.cleared", "", undo_id="u1", queued=1, failed=0, unlisted=0, source="cli:ani")
    history = fold(path, journal.deliveries)
    assert (history.message("m1").state, history.message("m1").undo_id) == (MessageState.CLEARED, "u1")
    [removed] = history.removed("u1")
    assert (removed.queue, removed.dead, removed.due_at) == ("wa.lane.default", None, None)
    journal.queued(generation=1)
    journal.outcome("restored", undo_id="u1", queue="wa.lane.default")
    history = fold(path, journal.deliveries)
    assert (history.message("m1").state, history.message("m1").undo_id) == (MessageState.WAITING, None)
    assert [one.restored for one in history.removed("u1")] == [True]


def test_what_was_cleared_from_the_ladder_knows_when_it_was_due(path, journal):
    journal.queued()
    journal.outcome("retrying", due_at=4e9)
    journal.outcome("cleared", generation=1, undo_id="u1", queue="wa.delay.05")
    [removed] = fold(path, journal.deliveries).removed("u1")
    assert (removed.due_at, removed.queue) == (4e9, "wa.delay.05")


def test_an_interrupted_clearing_can_be_found(path, journal):
    for one in ("m1", "m2"):
        journal.queued(one)
        journal.outcome("cleared", one, undo_id="u1", source="cli:ani")
    removal = fold(path, journal.deliveries).removal("u1")
    assert (removal.kind, removal.count, removal.actor) == ("clear", 2, "cli:ani")


def test_a_lane_that_was_purged_without_a_list_has_nothing_waiting(path, journal):
    for one in ("m1", "m2", "m3"):
        journal.queued(one)
    journal.queued("m4", lane="other")
    journal.outcome("sending", "m1")
    journal.event("lane.cleared", "", undo_id="u1", queued=2, failed=0, unlisted=2)
    history = fold(path, journal.deliveries)
    states = {one: history.message(one).state for one in ("m1", "m2", "m3", "m4")}
    assert states == {
        "m1": MessageState.SENDING,
        "m2": MessageState.CLEARED,
        "m3": MessageState.CLEARED,
        "m4": MessageState.WAITING,
    }
    assert {one.message.message_id for one in history.removed("u1")} == {"m2", "m3"}
    assert history.counts("default")[MessageState.CLEARED] == 2
    assert history.analytics([NOW, NOW + 60], "default")[0].waiting == 1


def test_a_message_that_only_seemed_cleared_can_still_be_sent(path, journal):
    journal.queued()
    journal.event("lane.cleared", "", undo_id="u1", queued=1, unlisted=1)
    journal.sent()
    assert state(path, journal) is MessageState.SENT


def test_the_life_of_a_message_is_told_in_order(path, journal):
    journal.queued()
    journal.sent(source="consumer-1")
    life = fold(path, journal.deliveries).life("m1")
    assert [entry.name for entry in life] == ["message.queued", "outcome.sending", "outcome.sent"]
    assert [entry.offset for entry in life] == [0, 1, 2]
    assert (life[0].source, life[0].details, life[0].lane) == ("test", {"priority": 5}, "default")
    assert (life[2].source, life[2].details["provider_id"]) == ("consumer-1", "p-m1")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["cancelling"], True),
        (["cancelling", "uncancelled"], False),
        (["cancelling", "uncancelled", "cancelling"], True),
        (["cancelling", "cancelled"], False),
        (["cancelling", "redriven"], False),
        (["cancelling", "sent"], False),
    ],
)
def test_a_message_says_whether_it_is_to_be_cancelled(path, journal, events, expected):
    journal.queued()
    for name in events:
        journal.outcome(name)
    assert fold(path, journal.deliveries).message("m1").cancelling is expected


def test_an_undo_does_not_take_back_a_cancellation(path, journal):
    journal.queued()
    journal.outcome("cancelling")
    journal.outcome("cleared", undo_id="u1")
    journal.queued(generation=1)
    journal.outcome("restored", undo_id="u1")
    assert fold(path, journal.deliveries).message("m1").cancelling


def test_the_end_of_a_life_tells_its_class_and_who_buried_it(path, journal):
    journal.queued(source="reminder")
    journal.outcome("sending")
    journal.outcome("failed", failure_class="rejected", code="not-on-whatsapp")
    journal.buried(source="reminder")
    # An older consumer did not write it.
    journal.outcome("dead", code="not-on-whatsapp")
    life = {entry.name: entry for entry in fold(path, journal.deliveries).life("m1")}
    assert life["outcome.dead"].details["failure_class"] == "rejected"
    assert life["message.buried"].source == "consumer"
    assert life["message.queued"].source == "reminder"


def test_a_class_that_was_written_is_the_one_that_counts(path, journal):
    journal.queued()
    journal.outcome("dead", failure_class="uncertain", code="crash")
    message = fold(path, journal.deliveries).message("m1")
    assert (message.state, message.failure_class) == (MessageState.DEAD, "uncertain")


def test_a_note_belongs_to_its_dead_letter(path, journal):
    journal.queued()
    journal.buried()
    journal.event("message.noted", generation=1, note="called them")
    history = fold(path, journal.deliveries)
    assert history.dead_letter("m1").note == "called them"
    journal.event("message.noted", generation=1, note="")
    assert fold(path, journal.deliveries).dead_letter("m1").note == ""


def test_a_job_is_as_its_last_event_says(path, journal):
    journal.event("job.started", "", job_id="j1", selected=10, options={"rate": 5}, source="api:x")
    journal.event("job.progress", "", job_id="j1", state="running", selected=10, done=4)
    journal.event("job.cancelling", "", job_id="j1", source="api:y")
    history = fold(path, journal.deliveries)
    job = history.job("j1")
    assert (job.state, job.done, job.cancelling, job.actor, job.options) == ("running", 4, True, "api:x", {"rate": 5})
    journal.event("job.finished", "", job_id="j1", state="cancelled", selected=10, done=6, detail="as asked")
    job = fold(path, journal.deliveries).jobs()[0]
    assert (job.state, job.done, job.detail, job.selected) == ("cancelled", 6, "as asked", 10)


def test_an_event_about_an_unknown_message_is_enough_to_know_it(path, journal):
    journal.sent("m9")
    history = fold(path, journal.deliveries)
    assert history.message("m9").state is MessageState.SENT
    assert history.message("m9").text == ""


@pytest.mark.parametrize("nasty", ["a\0b", "\0", "a\ud800b", "x" * 300])
def test_an_event_with_a_nasty_id_is_taken_into_account_however_often_it_is_told(path, nasty):
    body = json.dumps({"name": "outcome.sending", "at": NOW + 0.5, "lane": LANE, "message_id": nasty}).encode()
    told = [StreamEntry(offset, NAMES.events, "outcome.sending.x", pika.BasicProperties(), body) for offset in range(2)]
    assert fold(path, *[[one] for one in told]).counts()[MessageState.SENDING] == 1


def test_an_event_that_came_with_the_key_of_another_changes_nothing(path, journal):
    journal.queued()
    forged = make_event("sent", provider_id="p")
    journal.add(NAMES.events, "receipt.status.default.m1", forged.encode())
    assert fold(path, journal.deliveries).message("m1").state is MessageState.WAITING


def test_contents_that_come_after_the_outcome_are_taken_over(path, journal):
    journal.sent()
    journal.queued(text="Selamat pagi")
    history = fold(path, journal.deliveries)
    assert (history.message("m1").state, history.message("m1").text) == (MessageState.SENT, "Selamat pagi")
    assert history.messages(MessageFilter(text="pagi")).items


_IDS = st.sampled_from(["m1", "m2", "m3"])
_NAMES = st.sampled_from(
    [
        *("sending", "sent", "failed", "uncertain", "retrying", "redriven", "purged", "restored"),
        *("cancelling", "uncancelled", "chosen"),
        *("dead", "duplicate", "expired", "cancelled", "cleared", "opted_out"),
        *("held", "released", "postponed", "undelivered"),
    ]
)
_STEPS = st.one_of(
    st.tuples(st.just("queued"), _IDS, st.integers(0, 3)),
    st.tuples(st.just("scheduled"), _IDS, st.integers(0, 3)),
    st.tuples(st.just("buried"), _IDS, st.integers(0, 3)),
    st.tuples(st.just("event"), _NAMES, _IDS, st.integers(0, 3), st.integers(1, 3), st.sampled_from(["u1", "u2"])),
    st.tuples(
        st.just("receipt"),
        st.sampled_from(["sent", "delivered", "delivered", "read", "failed"]),
        _IDS,
        st.integers(0, 3),
        st.integers(1, 3),
        st.sampled_from(["theirs", "ours", "both", "own form"]),
    ),
    st.tuples(st.just("emptied"), st.sampled_from(["u1", "u2"])),
    st.tuples(st.just("noise"), st.binary(max_size=20)),
)


def _journal(steps) -> Journal:
    journal = Journal()
    for kind, *values in steps:
        if kind == "event":
            name, message_id, generation, attempt, undo_id = values
            due_at = journal.now + 4e9
            attempt_name = f"{message_id}-{generation}-{attempt}"
            more = {
                "redriven": {"copy": "m3"} if undo_id == "u2" else {},
                "sending": {"echoed_id": f"own-{attempt_name}"} if undo_id == "u2" else {},
                "sent": {"provider_id": f"p-{attempt_name}", "provider": "waha"},
            }.get(name, {})
            journal.outcome(
                name, message_id, generation=generation, attempt=attempt, undo_id=undo_id, due_at=due_at, **more
            )
        elif kind == "receipt":
            status, message_id, generation, attempt, named = values
            ours = {"theirs": "", "own form": f"own-{message_id}-{generation}-{attempt}"}
            theirs = f"p-{message_id}-{generation}-{attempt}" if named in {"theirs", "both"} else ""
            ours_told = ours.get(named, f"{message_id}:{generation}:{attempt}")
            journal.receipt(status, theirs, correlation_id=ours_told)
        elif kind == "emptied":
            journal.event("lane.cleared", "", undo_id=values[0], queued=1, unlisted=1)
        elif kind == "noise":
            for exchange in (NAMES.events, NAMES.messages, NAMES.scheduled, NAMES.dead, "amq.topic"):
                journal.add(exchange, "default", values[0])
        elif kind == "scheduled":
            journal.scheduled(values[0], generation=values[1], seconds=16_000_000)
        else:
            getattr(journal, kind)(values[0], generation=values[1])
    return journal


@given(st.lists(_STEPS, max_size=30), st.data())
def test_batches_and_repeated_deliveries_make_no_difference(steps, data):
    deliveries = _journal(steps).deliveries
    cuts = sorted(data.draw(st.lists(st.integers(0, len(deliveries)), max_size=5)))
    # A batch may begin anywhere before the end of the one before it, as after a lost connection.
    begins = [data.draw(st.integers(0, cut)) for cut in cuts]
    bounds = zip([0, *begins], [*cuts, len(deliveries)], strict=True)
    batches = [deliveries[begin:end] for begin, end in bounds]
    with tempfile.TemporaryDirectory() as folder:
        at_once = dump(fold(Path(folder) / "a.db", deliveries))
        in_pieces = dump(fold(Path(folder) / "b.db", *batches))
    assert at_once == in_pieces


@given(st.lists(_STEPS, max_size=30))
def test_the_counters_are_what_counting_would_tell(steps):
    with tempfile.TemporaryDirectory() as folder:
        history = fold(Path(folder) / "a.db", _journal(steps).deliveries)
        everything = history.messages(MessageFilter(), limit=1000).items
        counts = history.counts()
        waiting = history.analytics([NOW, NOW + 600])[-1].waiting
    assert {state: sum(one.state is state for one in everything) for state in MessageState} == counts
    assert waiting == sum(count for state, count in counts.items() if state not in FINAL)


def test_old_rows_are_forgotten_and_open_ones_stay(path):
    journal = Journal()
    journal.queued("m1")
    journal.sent("m1")
    journal.queued("m2")
    journal.queued("m3")
    journal.buried("m3")
    history = fold(path, journal.deliveries)
    writer = HistoryWriter(path, NAMES)
    while writer.forget(NOW + 1000):
        pass
    writer.close()
    assert history.message("m1") is None
    assert history.life("m1") == []
    assert history.messages(MessageFilter(text="halo")).items == history.messages(MessageFilter()).items
    assert {history.message(one).state for one in ("m2", "m3")} == {MessageState.WAITING, MessageState.DEAD}
    assert history.counts()[MessageState.SENT] == 0
    assert history.report(Period.TODAY, UTC, now=NOW + 600).totals.sent == 1, "figures outlive the messages"
    writer = HistoryWriter(path, NAMES)
    writer.forget(NOW + 33 * 86_400)
    writer.close()
    assert history.report(Period.TODAY, UTC, now=NOW + 600).totals.sent == 0


def test_a_batch_that_fails_leaves_nothing_behind_and_is_taken_again_as_a_whole(path, journal, monkeypatch):
    journal.queued("m1")
    first = fold(path, journal.deliveries)
    journal.queued("m2")
    journal.outcome("sent", "m2", provider_id="p2")
    writer = HistoryWriter(path, NAMES)
    before, place = dump(first), writer.place

    def full(_connection):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(writer._steps, "add_figures", full)
        with pytest.raises(sqlite3.OperationalError):
            writer.take(journal.deliveries)
    assert (dump(first), writer.place) == (before, place)
    writer.take(journal.deliveries)
    writer.close()
    assert first.message("m2").state is MessageState.SENT
    assert first.counts()[MessageState.SENT] == 1


def test_what_is_told_of_people_names_no_message_and_no_list_of_numbers(path, journal):
    numbers = [f"+62812{number:07}" for number in range(1_000)]
    told = [
        contact_event.known("628114040707", numbers, "import", at=NOW, source="cli:ani"),
        contact_event.known("628114040707", numbers[:1], "receipt", at=NOW, source="receipts"),
        contact_event.opted(numbers[0], "all", is_out=True, at=NOW, source="cli:ani", by="cli:ani", channel="cli"),
        contact_event.linked(numbers[0], {"lid": "55"}, at=NOW, source="receipts"),
        contact_event.cold_released("628114040707", at=NOW, source="cli:ani"),
    ]
    for event in told:
        journal.add(NAMES.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    history = fold(path, journal.deliveries)
    assert sum(history.counts().values()) == 0
    items = history.events(("contact.",)).items
    expected = [one.name for one in reversed(told) if one.details.get("how") != "receipt"]
    assert [one.name for one in items] == expected
    assert items[-1].details == {"sender": "628114040707", "how": "import", "count": 1_000}
