"""Exactly one message of a paused lane: real processes, killed at each step."""

import threading

import pytest
from factories import PHONE

from admin_api.auth.roles import Role
from antrian.broker.connection import open_channel
from antrian.broker.lane_state import read_state, send_control
from antrian.domain.control import Command, Control
from antrian.domain.settings import Settings
from antrian.operations.lane.control import set_paused
from antrian.operations.lane.try_one import NotTried, Tried, try_one
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import elapsed, wait_until

DELAY = 2.0


@pytest.fixture
def slow(lane: Settings) -> dict[str, str]:
    """A pause that is long enough to be killed in."""
    set_paused(lane, "default", "test", paused=True)
    return {"WHATSAPP_QUEUE_DELAY": str(DELAY)}


def ask(lane: Settings) -> Tried:
    return try_one(lane, "default", "api:ani")


def is_paused(lane: Settings, records) -> bool:
    with open_channel(lane.amqp_urls, name="test") as channel:
        return read_state(channel, records.names, "default").paused


def test_one_goes_for_each_command_in_order_and_with_the_pause_kept(slow, lane, consumer, publisher, arrivals, records):
    ids = {text: publisher.queue_message(PHONE, text, priority=text).message_id for text in ("low", "high", "normal")}
    consumer(**slow)
    assert ask(lane).message_id == ids["high"]
    arrivals.wait_for(1, 10)
    second = ask(lane)
    assert second.message_id == ids["normal"]
    assert second.wait <= DELAY
    # What rings now is more urgent than the one that was chosen, and goes when somebody asks for another.
    publisher.queue_message(PHONE, "urgent", priority="urgent")
    arrivals.wait_for(2, 10)
    wait_until(elapsed(2 * DELAY), 10, "others would have followed")

    assert arrivals.texts() == ["high", "normal"]
    assert min(arrivals.gaps()) >= DELAY
    assert is_paused(lane, records)
    tried = records.events("lane.tried", records.names.journal)
    assert [(one.message_id, one.source) for one in tried] == [(ids["high"], "api:ani"), (ids["normal"], "api:ani")]


@pytest.mark.parametrize("moment", ["at once", "in the pause", "in the send"])
def test_a_consumer_that_is_killed_never_makes_two_of_one(
    slow, lane, consumer, publisher, arrivals, records, sandbox, moment
):
    for number in range(4):
        publisher.queue_message(PHONE, f"text {number}")
    ours = consumer(**slow)
    commands = 1
    if moment == "at once":
        send_control(lane.amqp_urls, records.names, Control(Command.TRY_ONE, "default", "test", permit="p"))
    elif moment == "in the pause":
        ask(lane)
        arrivals.wait_for(1, 10)
        ask(lane)
        commands = 2
    else:
        sandbox.record.mode = Mode(ModeName.SLOW, seconds=30)
        ask(lane)
        arrivals.wait_for(1, 10)
    ours.kill()
    if moment != "in the send":
        arrivals.settle()
    sandbox.record.mode = Mode(ModeName.OK)
    sent = arrivals.texts()
    assert len(sent) <= commands
    ours.started()
    wait_until(elapsed(DELAY + 1), 10, "something would be sent")

    assert arrivals.texts() == sent
    assert is_paused(lane, records)
    # Whatever became of it, the next command has its one message, and not too early.
    ask(lane)
    wait_until(lambda: len(arrivals.texts()) == len(sent) + 1, 15, "another one goes")
    wait_until(elapsed(DELAY + 1), 10, "others would have followed")
    assert len(arrivals.texts()) == len(sent) + 1
    assert all(gap >= DELAY for gap in arrivals.gaps())


def test_a_standby_that_takes_over_sends_the_same_one_or_none(slow, lane, consumer, publisher, arrivals, records):
    for number in range(3):
        publisher.queue_message(PHONE, f"text {number}")
    active = consumer(**slow)
    ask(lane)
    arrivals.wait_for(1, 10)
    consumer(**slow)
    chosen = ask(lane)
    active.kill()
    wait_until(elapsed(2 * DELAY + 2), 20, "more would be sent")

    begun = [one.message_id for one in records.events("outcome.sending")][1:]
    assert begun in ([], [chosen.message_id])
    # On record before the call: one that is killed in between has not made it.
    assert len(arrivals.texts()) in {1, 1 + len(begun)}
    assert all(gap >= DELAY for gap in arrivals.gaps())
    assert is_paused(lane, records)


def test_commands_at_once_have_one_message_for_each_name_that_they_were_told(slow, lane, consumer, publisher, arrivals):
    for number in range(6):
        publisher.queue_message(PHONE, f"text {number}")
    consumer(**slow)
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(ask(lane).message_id)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(arrivals.texts()) >= len(set(told)), 30, "what was named is sent")
    wait_until(elapsed(DELAY + 1), 10, "more would be sent")
    assert len(told) == 3
    assert len(arrivals.texts()) == len(set(told))
    assert all(gap >= DELAY for gap in arrivals.gaps())


def test_what_fails_waits_in_the_paused_lane_and_is_not_tried_again(slow, lane, consumer, publisher, records):
    publisher.queue_message("081234569003", "fails twice")
    consumer(**slow)
    ask(lane)
    records.wait_for_event("outcome.retrying")
    wait_until(lambda: records.waiting(records.names.lane("default")) == 1, 10, "it is back in the lane")
    wait_until(elapsed(DELAY + 1), 10, "it would be tried again")
    assert len(records.events("outcome.sending")) == 1


def test_a_lane_where_it_makes_no_sense_says_why(admin, lane, cli, publisher, consumer, records):
    client = admin.client(Role.OPERATOR)
    publisher.queue_message(PHONE, "text")
    assert refusal(client) == (409, "not-paused")
    set_paused(lane, "default", "test", paused=True)
    assert refusal(client) == (503, "no-consumer")
    consumer()
    [message_id] = [one["message_id"] for one in client.get("/messages")["items"]]
    assert client.post("/try-one")["message_id"] == message_id
    records.wait_for_event("outcome.sent")
    wait_until(lambda: records.waiting(records.names.lane("default")) == 0, 10, "nothing waits")
    assert refusal(client) == (409, "nothing-waits")
    done = cli.run("try-one")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No message that could be sent is waiting in lane default." in done.stderr


def refusal(client) -> tuple[int, str]:
    answer = client.ask("POST", "/try-one")
    return answer.status_code, answer.json()["code"]


def test_nothing_is_sent_after_nobody_has_answered(slow, lane, consumer, publisher, arrivals, sandbox):
    """The consumer is busy with a call that takes longer than an answer is waited for; the command ends then."""
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=12)
    for number in range(3):
        publisher.queue_message(PHONE, f"text {number}")
    ours = consumer(**slow)
    ask(lane)
    arrivals.wait_for(1, 10)
    with pytest.raises(NotTried) as refused:
        ask(lane)
    assert refused.value.code == "no-answer"
    sandbox.record.mode = Mode(ModeName.OK)
    wait_until(lambda: "message.sent" in ours.log(), 20, "the call has ended")
    wait_until(elapsed(DELAY + 1), 10, "another would be sent")
    assert arrivals.texts() == ["text 0"]
