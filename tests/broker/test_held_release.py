"""Held messages come off the delay ladder and back into their lane; what is not meant keeps its place and its time."""

import time

import pytest
from dead_letter_service import running
from queue_fixture import Stock, ids, message

from antrian.broker.connection import open_channel
from antrian.broker.queue_scan.publication import Tally
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.errors import BrokerError
from antrian.domain.headers import HOLD
from antrian.domain.message import encode, retry_of
from antrian.history.records import Job
from antrian.operations.dead_letters.job_progress import progress_of
from antrian.operations.dead_letters.job_work import SILENCE, new_job
from antrian.operations.dead_letters.journal import Journal
from antrian.operations.lane import release_job
from antrian.operations.lane.release import Release
from antrian.operations.lane.release_filter import NotReleasable, ReleaseFilter
from antrian.operations.lane.release_job import HeldReleases, ReleaseResumption, release_now
from waiting import wait_until


def release(stock: Stock, lane: str = "default", **meant: object) -> Job:
    return release_now(stock.settings, ReleaseFilter.of(lane, **meant), "cli:ani")


def headers_in_lane(stock: Stock, lane: str = "default") -> dict[str, object]:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        _, properties, _ = next(channel.consume(stock.names.lane(lane), inactivity_timeout=60))
        return dict(properties.headers)


def test_all_that_is_held_comes_back_as_the_same_copy_and_each_message_is_told(stock: Stock) -> None:
    stock.add_held("m1", seconds=3600, priority="high")
    stock.add_held("m2", seconds=90_000)
    stock.add_held("m3", reason="window", priority="low")
    job = release(stock)

    assert (job.state, job.selected, job.done, job.detail) == ("done", 3, 3, "")
    assert [(one.message_id, one.generation, one.attempt) for one in stock.in_lane()] == [
        ("m1", 0, 1), ("m2", 0, 1), ("m3", 0, 1),
    ]  # fmt: skip
    # It did not wait because its publisher wanted it so.
    assert [one.due_at for one in stock.in_lane()] == [None] * 3
    assert stock.delayed() == 0
    told = {event.message_id: event for event in stock.events("outcome.released")}
    assert {name: event.details for name, event in told.items()} == {
        "m1": {"reason": "cold_cap", "job_id": job.job_id},
        "m2": {"reason": "cold_cap", "job_id": job.job_id},
        "m3": {"reason": "window", "job_id": job.job_id},
    }
    assert told["m1"].source == "cli:ani"
    [finished] = stock.events("job.finished")
    assert (finished.details["state"], finished.details["done"]) == ("done", 3)


def test_copy_has_no_mark_of_the_hold_and_of_the_ladder_left(stock: Stock) -> None:
    # Down a rung before it is released: the broker has written about that.
    stock.add_held("m1", seconds=3601)
    stock.add_held("m2", seconds=4097)
    wait_until(lambda: stock.count(stock.names.delay(12)) == 1, 10, "both are on the ladder")
    release(stock, ids={"m1"})
    found = headers_in_lane(stock)

    assert HOLD not in found
    assert [name for name in found if name.startswith("x-")] == []
    assert ids(stock.in_lane()) == ["m1"]


def test_only_what_is_meant_is_released(two_lanes: Stock) -> None:
    two_lanes.add_held("cold", source="registration")
    two_lanes.add_held("night", reason="window", source="newsletter")
    two_lanes.add_held("other", lane="other")
    two_lanes.add_delayed("later")
    key = ladder_key(3600, "default")
    retry = retry_of(message("retry"), None, attempt=2)
    with open_channel(two_lanes.settings.amqp_urls, name="test") as channel:
        channel.basic_publish(two_lanes.names.ladder_entrance(3600), key, *encode(retry))

    assert release(two_lanes, reason="recipient_gap").done == 0
    assert release(two_lanes, ids={"later", "retry", "other", "none"}).done == 0
    assert release(two_lanes, source="registratio").done == 0
    assert release(two_lanes, reason="window", source="newsletter").done == 1
    assert ids(two_lanes.in_lane()) == ["night"]
    assert release(two_lanes).done == 1
    assert release(two_lanes).detail == "nothing is held in default"
    assert two_lanes.delayed() == 3
    assert two_lanes.in_lane("other") == []


def test_release_of_refused_contacts_ends_the_refusal_first(stock: Stock) -> None:
    stock.add_held("m1", reason="cold_held")
    stock.add_held("m2")
    assert release(stock, reason="cold_cap").done == 1
    assert stock.events("contact.cold_released") == []
    job = release(stock, reason="cold_held")
    [event] = stock.events("contact.cold_released")

    assert (event.details["sender"], event.message_id, event.lane) == (stock.settings.lanes.first.sender_key, "", "")
    assert (job.done, event.source) == (1, "cli:ani")
    in_order = [body for _, body in stock.entries(stock.names.journal) if b"cold_released" in body or b'"m1"' in body]
    assert b"cold_released" in in_order[0]
    # Who takes it off the ladder for another reason does not claim that WhatsApp allows it again.
    stock.add_held("m3", reason="cold_held")
    release(stock)
    assert len(stock.events("contact.cold_released")) == 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("paused", "the lane is paused: resume it"),
        ("daily_cap", "raise daily_cap"),
        ("retry", "are tried again by themselves"),
        ("cold", "one of: cold_cap, cold_held, recipient_gap, warm_up, window"),
    ],
)
def test_what_cannot_be_released_is_explained(reason: str, words: str) -> None:
    with pytest.raises(NotReleasable, match=words):
        ReleaseFilter.of("default", reason=reason)


def test_unknown_lane_is_an_error_before_anything_begins(stock: Stock) -> None:
    stock.add_waiting("m1")
    with pytest.raises(BrokerError, match="nowhere"):
        release(stock, lane="nowhere")

    assert stock.events("job.started") == []


def test_message_of_another_lane_keeps_its_time(two_lanes: Stock) -> None:
    began_at = time.time()
    due = {f"o{seconds}": seconds for seconds in (2, 3, 5, 9)}
    for name, seconds in due.items():
        two_lanes.add_held(name, seconds=seconds, lane="other")
    for seconds in (5, 2000, 3600):
        two_lanes.add_held(*(f"m{seconds}-{number}" for number in range(300)), seconds=seconds)
    job = release(two_lanes)
    came: dict[str, float] = {}
    with open_channel(two_lanes.settings.amqp_urls, name="test") as channel:
        for _, properties, _ in channel.consume(two_lanes.names.lane("other"), auto_ack=True, inactivity_timeout=60):
            came[properties.message_id] = time.time() - began_at
            if len(came) == len(due):
                break

    assert job.done >= 600
    # Never before its time, and not much after it; what publishing took is in there, too.
    assert all(came[name] >= seconds - 0.1 for name, seconds in due.items())
    assert came["o9"] <= 9 + 5
    assert two_lanes.delayed() == 0


def test_cancelled_release_leaves_the_rest_where_it_was(stock: Stock) -> None:
    stock.add_held(*(f"m{number}" for number in range(1_500)))
    with running(stock) as parts:
        job = HeldReleases(stock.settings, parts.dead_letters.registry).start(ReleaseFilter.of("default"), "api:ops")
        assert job.options["on_ladder"] == 1_500
        parts.dead_letters.cancel(job.job_id, "api:ops")
        over = parts.dead_letters.wait(job.job_id, 60)
        stay = stock.delayed()

        assert (over.state, over.done + stay) == ("cancelled", 1_500)
        parts.catch_up()
        [listed] = parts.dead_letters.jobs()
        assert (listed.options["kind"], listed.options["lanes"]) == ("release", {"default": None})
    assert stay == len([one for one in range(1_500) if f"m{one}" not in set(ids(stock.in_lane()))])


def test_release_whose_process_died_is_gone_on_with_once(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ReleaseFilter.of("default", reason="window")
    asked = {"kind": "release", **wanted.as_details()}
    died = new_job("dead-job", "api:ops", 0, asked)
    Journal(stock.settings).record("job.started", "api:ops", {**progress_of(died), "options": asked})
    stock.add_held("m1", reason="window")
    stock.add_held("m2")
    with running(stock) as parts:
        parts.catch_up()
        releases = HeldReleases(stock.settings, parts.dead_letters.registry)
        assert releases.go_on(time.time()) == [], "it may be alive"
        monkeypatch.setattr("antrian.operations.dead_letters.job_work.SILENCE", -SILENCE)
        assert releases.go_on(time.time() + release_job._LATEST) == [], "too late"
        [job] = releases.go_on(time.time())
        assert parts.dead_letters.wait(job.job_id, 60).done == 1
        parts.catch_up()
        assert releases.go_on(time.time()) == []
        assert parts.dead_letters.job("dead-job").detail == f"goes on as job {job.job_id}"
    assert ids(stock.in_lane()) == ["m1"]


def test_admin_side_goes_on_with_it_when_it_starts(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"kind": "release", **ReleaseFilter.of("default").as_details()}
    died = new_job("dead-job", "api:ops", 0, asked)
    Journal(stock.settings).record("job.started", "api:ops", {**progress_of(died), "options": asked})
    stock.add_held("m1")
    monkeypatch.setattr("antrian.operations.dead_letters.job_work.SILENCE", -SILENCE)
    monkeypatch.setattr(release_job, "_LOOK_FOR_INTERRUPTED", 0.1)
    with running(stock) as parts:
        resumption = ReleaseResumption(HeldReleases(stock.settings, parts.dead_letters.registry), parts.follower)
        resumption.start()
        stock.wait_for(stock.names.lane("default"), 1)
        resumption.stop()
    assert [event.source for event in stock.events("outcome.released")] == ["api:ops"]


def test_message_that_is_held_again_meanwhile_is_not_released_twice(stock: Stock) -> None:
    """A consumer that still has no room for it lays it on the ladder again, while the release is under way."""
    stock.add_held("m1", seconds=3600)
    work = Release(stock.settings, ReleaseFilter.of("default"), "cli:ani", "job")

    held_again: list[Tally] = []

    def hold_again(tally: Tally) -> None:
        if tally.taken == 1 and not held_again:
            held_again.append(tally)
            stock.add_held("m1", seconds=600)

    # Its new place is below the old one, and will be looked at.
    tally = work.run(on_progress=hold_again)
    assert (tally.taken, work.found, stock.delayed()) == (1, 1, 1)
    assert len(stock.in_lane()) == 1


def test_quorum_ladder_is_looked_through_until_nothing_is_left(stock: Stock) -> None:
    """Its queues may lose the last acks of a connection."""
    rung = stock.names.delay(11)
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(rung)
        more = {"x-queue-type": "quorum", "x-message-ttl": 2_048_000, "x-dead-letter-exchange": stock.names.delay(10)}
        more |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        channel.queue_declare(rung, durable=True, arguments=more)
        channel.queue_bind(rung, rung, "*." * 12 + "1.#")
    stock.add_held(*(f"m{number}" for number in range(300)), seconds=2048)
    stock.add_held("night", seconds=2048, reason="window")
    quorum = stock.settings.model_copy(update={"whatsapp_queue_type": "quorum"})
    job = release_now(quorum, ReleaseFilter.of("default", reason="cold_cap"), "cli:ani")

    assert (job.state, job.selected, job.done) == ("done", 300, 300)
    assert {one.message_id for one in stock.in_lane()} == {f"m{number}" for number in range(300)}
    wait_until(lambda: stock.count(rung) == 1, 10, "the other one is back, and nothing else is there")
