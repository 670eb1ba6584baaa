"""A life in few steps."""

from factories import NOW
from journal_entries import Journal
from journal_entries import fold as read

from antrian.history.queries.life_line import fold, summarize
from antrian.history.records import LifeEntry


def outage(journal: Journal, rounds: int, **failure: object) -> None:
    for _ in range(rounds):
        journal.outcome("sending", source="3c6d20e1-896e", consumer="mail-1 (4711)")
        journal.outcome("failed", source="3c6d20e1-896e", hold=10.0, **failure)


def steps_of(tmp_path, journal: Journal):
    tmp_path.mkdir(exist_ok=True)
    return fold(read(tmp_path / "history.db", journal.deliveries).life("m1"))


def test_a_message_that_waited_out_an_outage_has_four_steps(tmp_path):
    journal = Journal()
    journal.queued()
    outage(journal, 25, failure_class="unavailable", code="provider-down", detail="HTTP 503")
    journal.outcome("sending")
    journal.outcome("failed", failure_class="transient", code="send-failed")
    journal.outcome("sending", attempt=2)
    journal.outcome("sent", attempt=2, provider_id="p1")
    steps = steps_of(tmp_path, journal)
    assert [step.name for step in steps] == ["message.queued", "outage", "attempt.failed", "attempt.sent"]
    away = steps[1]
    assert (away.rounds, away.at, away.until) == (25, NOW + 1, NOW + 50)
    assert (away.failure_class, away.code, away.gap) == ("unavailable", "provider-down", 1.0)
    assert [step.by for step in steps] == ["test", "", "", ""]
    summary = summarize(steps, NOW + 999)
    assert (summary.waited, summary.attempts, summary.rounds, summary.is_over) == (54.0, 2, 25, True)
    assert summary.consumers == ("mail-1 (4711)",)


def test_two_outages_with_a_send_failure_between_them_stay_two_and_so_do_two_kinds(tmp_path):
    journal = Journal()
    journal.queued()
    outage(journal, 2, failure_class="unavailable", code="refused")
    outage(journal, 3, failure_class="throttled", code="throttled")
    journal.outcome("sending")
    journal.outcome("failed", failure_class="transient", code="send-failed")
    outage(journal, 1, failure_class="throttled", code="throttled")
    steps = steps_of(tmp_path, journal)
    assert [step.rounds for step in steps] == [0, 2, 3, 0, 1]


def test_giving_up_is_one_step_with_its_class_and_nobody_behind_it(tmp_path):
    journal = Journal()
    journal.queued()
    journal.outcome("sending")
    journal.outcome("failed", failure_class="rejected", code="not-on-whatsapp", detail="no such number")
    journal.buried(failure_class="rejected", code="not-on-whatsapp")
    journal.outcome("dead", reason="not-on-whatsapp", code="not-on-whatsapp", detail="no such number")
    last = steps_of(tmp_path, journal)[-1]
    assert (last.name, last.failure_class, last.code, last.by) == ("outcome.dead", "rejected", "not-on-whatsapp", "")


def test_a_redrive_is_one_step_and_the_wait_begins_anew(tmp_path):
    journal = Journal()
    journal.queued()
    journal.outcome("sending")
    journal.outcome("failed", failure_class="transient", code="x")
    journal.buried()
    journal.outcome("dead", code="x")
    journal.outcome("redriven", generation=1, source="web:ani")
    journal.queued(generation=2)
    journal.outcome("sending", generation=2)
    steps = steps_of(tmp_path, journal)
    names = [step.name for step in steps]
    assert names == ["message.queued", "attempt.failed", "outcome.dead", "outcome.redriven", "attempt.begun"]
    assert steps[3].by == "web:ani"
    summary = summarize(steps, NOW + 15)
    assert (summary.waited, summary.attempts, summary.is_over) == (10.0, 1, False)


def test_what_was_cleared_and_put_back_waits_again(tmp_path):
    journal = Journal()
    journal.queued()
    journal.outcome("cleared", source="web:ani")
    assert summarize(steps_of(tmp_path / "a", journal), NOW + 15).is_over
    journal.outcome("restored", source="web:ani")
    summary = summarize(steps_of(tmp_path / "b", journal), NOW + 15)
    assert (summary.waited, summary.is_over) == (15.0, False)


def test_a_dead_letter_that_was_deleted_and_put_back_has_waited_until_it_was_given_up(tmp_path):
    journal = Journal()
    journal.queued()
    journal.buried()
    journal.outcome("dead", code="x")
    journal.outcome("purged", source="web:ani")
    journal.outcome("restored", source="web:ani")
    summary = summarize(steps_of(tmp_path, journal), NOW + 99)
    assert (summary.waited, summary.is_over) == (2.0, True)


def test_a_message_for_later_does_not_wait_before_its_time(tmp_path):
    journal = Journal()
    journal.scheduled(seconds=3600)
    steps = steps_of(tmp_path, journal)
    assert summarize(steps, NOW + 10).waited is None
    assert summarize(steps, NOW + 5000).waited is not None
    assert summarize([], NOW).waited is None


def entry(name, when, **details):
    return LifeEntry(0, int(when), when, name, message_id="m1", attempt=1, details=details)


def told(status, at, *, heard_at=None, provider_id="p1", **details):
    about = {"status": status, "at": at, "provider_id": provider_id, "correlation_id": "", **details}
    return entry("receipt.status", heard_at or at, **about)


def test_receipts_say_how_long_after_the_send_and_each_once():
    life = [
        entry("message.queued", 0),
        entry("outcome.sending", 1),
        entry("outcome.sent", 2, provider_id="p1"),
        told("accepted", 2),
        told("delivered", 6),
        told("delivered", 6, heard_at=9),
        told("read", 30, heard_at=31),
        told("delivered", 6, heard_at=40),
    ]
    steps = fold(life)[-2:]
    assert [(step.name, step.at, step.details["after"]) for step in steps] == [
        ("receipt.delivered", 6, 4),
        ("receipt.read", 30, 28),
    ]
    assert summarize(fold(life), 100).waited == 2


def test_an_arrival_after_a_failure_and_a_receipt_of_an_earlier_send_say_so():
    life = [
        entry("outcome.sent", 2, provider_id="p1"),
        told("failed", 3, failure_class="transient", code="131026", detail="words"),
        entry("outcome.undelivered", 4, failure_class="transient", code="131026"),
        entry("outcome.retrying", 4),
    ]
    assert not summarize(fold(life), 100).is_over
    life += [entry("outcome.sent", 60, provider_id="p2"), told("delivered", 5, heard_at=70)]
    failed, corrected = (step for step in fold(life) if step.name.startswith("receipt."))
    assert (failed.code, failed.detail) == ("131026", "words")
    assert corrected.details["corrects"]
    assert corrected.details["earlier"]
