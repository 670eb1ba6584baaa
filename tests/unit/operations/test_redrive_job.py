import threading

import pytest
from desk_records import record

from antrian.broker.queue_scan.publication import Tally
from antrian.domain.errors import BrokerUnreachable
from antrian.history.records import MessageState
from antrian.operations.dead_letters.dead_letters import DeadLetterReport
from antrian.operations.dead_letters.job_work import new_job, of_another_process
from antrian.operations.dead_letters.redrive_job import JobOptions, RedriveJob

FROZEN = [(f"m{number}", 1) for number in range(6)]


class PaperLetters:
    """A dead-letter queue on paper."""

    def __init__(self, *copies, unreadable=(), refused=(), most=100):
        self.there = list(copies)
        self.unreadable = set(unreadable)
        self.refused = set(refused)
        self.most = most
        self.passes = []
        self.error = None

    def redrive(self, copies, actor, *, per_second, job_id, is_enough, on_progress):
        del actor, per_second, job_id
        report, tally = DeadLetterReport(), Tally()
        for copy in list(self.there):
            if copy not in copies or tally.taken >= self.most or is_enough():
                continue
            report.found.add(copy)
            self._settle(copy, report, tally)
            on_progress(tally)
        self.passes.append(sorted(report.found))
        if self.error:
            raise self.error
        report.done, report.refused = tally.taken, tally.refused
        return report

    def _settle(self, copy, report, tally):
        if copy in self.unreadable:
            report.unreadable += 1
            return
        report.put.add(copy)
        if copy in self.refused:
            tally.refused += 1
        else:
            tally.taken += 1
            self.there.remove(copy)


class PaperHistory:
    """Tells of every message that it was sent, unless it is told otherwise."""

    def __init__(self, **states):
        self.states = states

    def message(self, message_id):
        return record(state=self.states.get(message_id, MessageState.SENT), generation=2, code="timeout")


def done(letters, history=None, **options):
    job = RedriveJob(
        new_job("j1", "cli:ani", len(FROZEN), {}), FROZEN, JobOptions(**options), letters, history or PaperHistory()
    )
    job.run()
    return job.job


def test_all_selected_letters_are_put_back():
    letters = PaperLetters(*FROZEN, ("m9", 1))
    job = done(letters)
    assert (job.state, job.done, job.detail) == ("done", 6, "")
    assert letters.there == [("m9", 1)]


def test_another_copy_of_a_selected_message_stays():
    letters = PaperLetters(*FROZEN[1:], ("m0", 3))
    job = done(letters)
    assert letters.there == [("m0", 3)]
    assert job.detail == "1 letter was no longer there"


def test_it_takes_turns_with_others_at_the_queue():
    letters = PaperLetters(*FROZEN, most=3)
    assert done(letters).done == 6
    assert [len(one) for one in letters.passes] == [3, 3]


def test_what_nobody_can_read_and_what_has_no_lane_is_counted():
    job = done(PaperLetters(*FROZEN, unreadable=FROZEN[:1], refused=FROZEN[1:3]))
    assert (job.state, job.done, job.unreadable, job.refused) == ("done", 3, 1, 2)


def test_the_others_follow_a_canary_that_was_sent():
    letters = PaperLetters(*FROZEN)
    job = done(letters, canary=2)
    assert (job.state, job.done) == ("done", 6)
    assert letters.passes[0] == FROZEN[:2]


@pytest.mark.parametrize("state", [MessageState.DEAD, MessageState.RETRYING])
def test_a_canary_that_fails_again_stops_it(state):
    letters = PaperLetters(*FROZEN)
    job = done(letters, PaperHistory(m1=state), canary=2)
    assert (job.state, job.done, job.failed_again) == ("stopped", 2, 1)
    assert job.detail == "one of the first 2 letters was not sent: timeout"
    assert letters.there == FROZEN[2:]


def test_a_letter_that_nobody_can_read_is_no_canary():
    letters = PaperLetters(*FROZEN, unreadable=FROZEN[:1])
    done(letters, canary=2)
    assert letters.passes[:2] == [FROZEN[:2], FROZEN[2:3]]


def test_a_canary_without_a_lane_stops_it():
    job = done(PaperLetters(*FROZEN, refused=FROZEN[:1]), canary=1)
    assert (job.state, job.refused) == ("stopped", 1)


def test_a_canary_that_waits_can_be_cancelled():
    letters = PaperLetters(*FROZEN)
    waiting = PaperHistory(m0=MessageState.WAITING)
    job = RedriveJob(new_job("j1", "cli:ani", 6, {}), FROZEN, JobOptions(canary=1), letters, waiting)
    work = threading.Thread(target=job.run)
    work.start()
    job.cancel()
    work.join(60)
    assert (job.job.state, job.job.done, job.job.cancelling) == ("cancelled", len(FROZEN) - len(letters.there), True)


def test_a_broker_that_goes_away_fails_it_with_a_sentence_and_what_was_done_is_counted():
    letters = PaperLetters(*FROZEN)
    letters.error = BrokerUnreachable("no broker answers")
    job = done(letters)
    assert (job.state, job.done) == ("failed", 6)
    assert job.detail == "no broker answers; repeat it to continue where it stopped"


def test_an_error_of_our_own_ends_it_too():
    letters = PaperLetters(*FROZEN)
    letters.error = ZeroDivisionError("secret")
    job = done(letters)
    assert job.state == "failed"
    assert "secret" not in job.detail


def test_a_job_of_another_process_that_is_silent_is_interrupted():
    job = new_job("j1", "cli:ani", 6, {})
    assert of_another_process(job, job.changed_at + 29).state == "running"
    assert of_another_process(job, job.changed_at + 31).state == "interrupted"
