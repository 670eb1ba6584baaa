"""Re-drives in the background, through one replica and through another."""

from collections.abc import Callable

import pytest
from dead_letter_service import DeskParts, running
from pydantic import SecretStr
from queue_fixture import Stock, ids
from tcp_proxy import proxy_before

from antrian.domain.events import Event
from antrian.history.records import DeadFilter, Job
from antrian.operations.dead_letters.errors import JobEnded, UnknownJob
from waiting import wait_until

EVERYTHING = DeadFilter()


@pytest.fixture
def parts(stock):
    with running(stock) as ours:
        yield ours


def ended(parts: DeskParts, job: Job) -> Job:
    return wait_until(
        lambda: now if (now := parts.dead_letters.job(job.job_id)).state != "running" else None, 30, "the job has ended"
    )


def last_words(stock: Stock) -> list[Event]:
    return wait_until(lambda: stock.events("job.finished"), 10, "the journal tells of the end")


def test_the_selection_is_frozen_when_the_job_begins(stock, parts):
    stock.add_dead("m1", "m2", "m3")
    job = parts.dead_letters.redrive(EVERYTHING, "api:ops", rate=4)
    stock.add_dead("late")
    assert job.selected == 3
    now = ended(parts, job)
    assert (now.state, now.done, now.detail) == ("done", 3, "")
    assert sorted(ids(stock.in_lane())) == ["m1", "m2", "m3"]
    assert ids(stock.dead()) == ["late"]
    [event] = last_words(stock)
    assert (event.details["state"], event.details["done"], event.source) == ("done", 3, "api:ops")
    assert {event.details["job_id"] for event in stock.events("outcome.redriven")} == {job.job_id}


def test_a_limit_takes_the_oldest_and_the_options_are_on_record(stock, parts):
    stock.add_dead("m1", "m2", "m3", source="payment")
    meant = DeadFilter(source="payment", phone_number="0812")
    now = ended(parts, parts.dead_letters.redrive(meant, "api:ops", limit=2))
    assert (now.selected, now.done) == (2, 2)
    assert ids(stock.dead()) == ["m3"]
    [event] = stock.events("job.started")
    assert event.details["options"]["filter"] == {"source": "payment", "phone_number": True}


def test_a_job_of_nothing_is_done_at_once(parts):
    now = ended(parts, parts.dead_letters.redrive(DeadFilter(code="none"), "api:ops"))
    assert (now.state, now.selected) == ("done", 0)


def test_another_replica_sees_it_and_can_cancel_it(stock, parts):
    # More than it can do until the other one has read everything, however busy the machine is.
    stock.add_dead(*(f"m{number}" for number in range(200)))
    job = parts.dead_letters.redrive(EVERYTHING, "api:ops", rate=2)
    with running(stock) as others:
        seen: Callable[[], bool] = lambda: any(one.done > 0 for one in others.dead_letters.jobs())  # noqa: E731 (shorter here)
        wait_until(seen, 15, "the other replica sees its progress")
        assert others.dead_letters.cancel(job.job_id, "api:other").cancelling
        now = ended(parts, job)
        assert now.state == "cancelled"
        assert 0 < now.done < 200
        wait_until(
            lambda: others.dead_letters.job(job.job_id).state == "cancelled", 15, "the other replica sees its end"
        )
        with pytest.raises(JobEnded):
            others.dead_letters.cancel(job.job_id, "api:other")
    assert len(stock.in_lane()) == now.done


def test_what_nobody_knows_is_no_job(parts):
    for act in (parts.dead_letters.job, lambda one: parts.dead_letters.cancel(one, "api:ops")):
        with pytest.raises(UnknownJob):
            act("nobody-knows")


def test_others_are_served_while_a_slow_job_runs(stock, parts):
    stock.add_dead(*(f"m{number}" for number in range(300)))
    job = parts.dead_letters.redrive(EVERYTHING, "api:ops", rate=3)
    purged = parts.dead_letters.purge(DeadFilter(ids=frozenset({"m299"})), "api:ops")
    assert (purged.purged, purged.missing) == (1, [])
    assert parts.dead_letters.job(job.job_id).state == "running"


def test_a_broker_that_goes_away_ends_it_with_a_sentence_and_doing_it_again_goes_on(stock):
    expected = [f"m{number}" for number in range(400)]
    stock.add_dead(*expected)
    url = stock.settings.amqp_urls[0]
    with proxy_before(url) as proxy:
        settings = stock.settings.model_copy(update={"amqp_url": SecretStr(proxy.through(url))})
        with running(Stock(settings)) as parts:
            job = parts.dead_letters.redrive(EVERYTHING, "api:ops", rate=10)
            wait_until(lambda: parts.dead_letters.job(job.job_id).done > 2, 15, "some are done")
            proxy.shut()
            now = ended(parts, job)
            proxy.open()
            assert now.state == "failed"
            assert now.detail.endswith("repeat it to continue where it stopped")
            [event] = last_words(stock)
            assert event.details["state"] == "failed"
            again = ended(parts, parts.dead_letters.redrive(EVERYTHING, "api:ops"))
    assert again.state == "done"
    assert set(ids(stock.in_lane())) == set(expected)
    assert stock.count(stock.names.dead) == 0
