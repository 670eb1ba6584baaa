import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from antrian_process import AntrianProcess
from dead_letter_service import DeskParts, running
from queue_fixture import Stock, ids, message

from antrian.broker.connection import open_channel
from antrian.broker.queue_scan.pipelined_operation import WINDOW
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import AttemptFailure, encode, retry_of
from antrian.history.queries.history import History
from antrian.history.records import DeadFilter, MessageState
from antrian.operations.dead_letters.errors import AlreadyUndone, UndoIncomplete, UndoRunning, UnknownRemoval
from antrian.operations.dead_letters.undo import Undo
from antrian.operations.lane.clearing import Clearing, Scope
from waiting import wait_until

EVERYTHING = DeadFilter()


@pytest.fixture
def parts(stock):
    with running(stock) as ours:
        yield ours


def clear(stock: Stock, scope: Scope = Scope.QUEUED) -> str:
    return Clearing(stock.settings, "default", "api:ops").run(scope).undo_id


def letters_of(stock: Stock) -> list[tuple[str, int, tuple[AttemptFailure, ...]]]:
    return [(one.message_id, one.generation, one.failures) for one in stock.dead()]


def test_what_waited_is_back_in_its_lane_in_its_order(stock, parts):
    stock.add_waiting("m1", "m2")
    stock.add_waiting("m3", priority=9)
    undo_id = clear(stock)
    assert stock.in_lane() == []
    assert parts.undo.run(undo_id, "api:ops") == 3
    assert ids(stock.in_lane()) == ["m3", "m1", "m2"]
    assert {(one.generation, one.attempt) for one in stock.in_lane()} == {(1, 1)}
    parts.catch_up()
    assert parts.history.message("m1").state is MessageState.WAITING
    assert parts.history.removal(undo_id).undone_by == "api:ops"


def test_what_waited_for_its_time_waits_for_what_is_left_of_it(stock, parts):
    stock.add_delayed("m1", seconds=3600)
    undo_id = clear(stock)
    parts.catch_up()
    due_at = next(parts.history.removed(undo_id)).due_at
    assert parts.undo.run(undo_id, "api:ops") == 1
    assert (stock.delayed(), stock.in_lane()) == (1, [])
    parts.catch_up()
    record = parts.history.message("m1")
    assert record.state is MessageState.SCHEDULED
    assert record.due_at == pytest.approx(due_at, abs=60)


def test_what_waited_for_its_second_attempt_comes_back_for_it_with_its_failure(stock, parts):
    failure = AttemptFailure(1, 1_800_000_000.0, "transient", "timeout", "no answer in time")
    stock.add_waiting("m1")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_purge(stock.names.lane("default"))
        for name, details in (
            ("sending", {}),
            ("failed", {"failure_class": "transient", "code": "timeout", "detail": "no answer in time"}),
            ("retrying", {"next_attempt": 2, "due_at": 1.0}),
        ):
            event = Event(f"outcome.{name}", failure.at, "default", "m1", 0, 1, "consumer", details)
            channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
        body, properties = encode(retry_of(message("m1"), failure, attempt=2))
        channel.basic_publish(stock.names.ladder_entrance(3600), ladder_key(3600, "default"), body, properties)
    undo_id = clear(stock)
    assert parts.undo.run(undo_id, "api:ops") == 1
    [back] = stock.in_lane()
    assert (back.attempt, back.generation, back.failures) == (2, 2, (failure,))


def test_deleted_letters_are_back_as_they_were(stock, parts):
    stock.add_dead("m1", "m2")
    before = letters_of(stock)
    purged = parts.dead_letters.purge(EVERYTHING, "api:ops")
    assert parts.undo.run(purged.undo_id, "api:ops") == 2
    assert letters_of(stock) == before
    parts.catch_up()
    assert parts.history.dead_count(EVERYTHING) == 2
    assert parts.history.message("m1").state is MessageState.DEAD
    assert parts.dead_letters.redrive_one("m1", "api:ops").message_id == "m1"


def test_a_clearing_of_everything_is_undone_with_one_name(stock, parts):
    stock.add_waiting("m1")
    stock.add_dead("m2")
    undo_id = clear(stock, Scope.ALL)
    assert parts.undo.run(undo_id, "api:ops") == 2
    assert (ids(stock.in_lane()), ids(stock.dead())) == (["m1"], ["m2"])


@pytest.mark.parametrize("exchange", ["messages", "dead"])
def test_what_nobody_can_read_is_back_as_well(stock, parts, exchange):
    stock.add_garbage(getattr(stock.names, exchange))
    undo_id = clear(stock, Scope.ALL)
    assert parts.undo.run(undo_id, "api:ops") == 1
    queue = stock.names.dead if exchange == "dead" else stock.names.lane("default")
    assert stock.count(queue) == 1


def test_letters_that_the_broker_itself_gave_up_are_back_as_well(stock, parts):
    stock.add_waiting("m1")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        method, _, _ = next(channel.consume(stock.names.lane("default"), inactivity_timeout=60))
        channel.basic_reject(method.delivery_tag, requeue=False)
    stock.wait_for(stock.names.dead, 1)
    undo_id = clear(stock, Scope.FAILED)
    assert parts.undo.run(undo_id, "api:ops") == 1
    assert ids(stock.dead()) == ["m1"]


def test_a_lane_that_was_purged_as_a_whole_is_filled_from_what_the_history_knows(stock, parts):
    quorum = stock.make_lane_quorum()
    stock.add_waiting("m1", "m2")
    undo_id = Clearing(quorum, "default", "api:ops").run(Scope.QUEUED).undo_id
    assert stock.count(stock.names.lane("default")) == 0
    assert parts.undo.run(undo_id, "api:ops") == 2
    assert [(one.message_id, one.generation) for one in stock.in_lane()] == [("m1", 1), ("m2", 1)]


@pytest.mark.parametrize("is_part_of_a_clearing", [False, True])
def test_a_purge_that_was_killed_before_it_removed_anything_leaves_one_letter(stock, parts, is_part_of_a_clearing):
    stock.add_dead("m1", "m2")
    [letter, _] = stock.dead()
    if is_part_of_a_clearing:
        stock.add_waiting("m3")
        undo_id = clear(stock, Scope.ALL)
    else:
        undo_id = parts.dead_letters.purge(DeadFilter(ids=frozenset({"m1"})), "api:ops").undo_id
    # Its event is in the journal, the letter still in its queue.
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_bind(stock.names.dead, stock.names.events, "default")
        body, properties = encode(letter)
        channel.basic_publish(stock.names.events, "default", body, properties)
        channel.queue_unbind(stock.names.dead, stock.names.events, "default")
    assert stock.count(stock.names.dead) == (1 if is_part_of_a_clearing else 2)
    assert parts.undo.run(undo_id, "api:ops") == (3 if is_part_of_a_clearing else 1)
    assert sorted(ids(stock.dead())) == ["m1", "m2"]
    parts.catch_up()
    assert parts.history.dead_count(EVERYTHING) == 2


def test_it_is_undone_once(stock, parts):
    stock.add_waiting("m1")
    undo_id = clear(stock)
    parts.undo.run(undo_id, "api:ops")
    with pytest.raises(AlreadyUndone):
        parts.undo.run(undo_id, "api:ops")
    assert ids(stock.in_lane()) == ["m1"]


def test_what_an_interrupted_undo_had_published_is_not_published_again(stock, parts):
    stock.add_waiting("m1", "m2")
    undo_id = clear(stock)
    # It ended between the copy and the event about it.
    stock.publish(replace(message("m1"), generation=1))
    assert parts.undo.run(undo_id, "api:ops") == 2
    assert sorted((one.message_id, one.generation) for one in stock.in_lane()) == [("m1", 1), ("m2", 1)]


@pytest.mark.parametrize("undo_id", ["nobody-knows", "../etc", "x" * 300, ""])
def test_what_is_not_on_record_cannot_be_undone(parts, undo_id):
    with pytest.raises(UnknownRemoval, match="30 days"):
        parts.undo.run(undo_id, "api:ops")


def test_two_at_once_are_one(stock, parts):
    expected = [f"m{number}" for number in range(300)]
    stock.add_waiting(*expected)
    undo_id = clear(stock)
    with running(stock) as others:
        others.catch_up()
        ends: list[object] = []

        def undo(one: DeskParts) -> None:
            try:
                ends.append(one.undo.run(undo_id, "api:ops"))
            except (AlreadyUndone, UndoRunning) as error:
                ends.append(type(error))

        threads = [threading.Thread(target=undo, args=(one,)) for one in (parts, others)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert len(ends) == 2
    assert ends.count(300) == 1
    assert ids(stock.in_lane()) == expected


def test_a_lane_that_is_gone_is_said_and_the_undo_can_be_done_again(stock, parts):
    stock.add_waiting("m1")
    undo_id = clear(stock)
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.exchange_unbind(stock.names.lane("default"), stock.names.messages, "default")
    with pytest.raises(UndoIncomplete, match="1 are not"):
        parts.undo.run(undo_id, "api:ops")
    Stock(stock.settings)  # applies the topology again
    assert parts.undo.run(undo_id, "api:ops") == 1
    assert ids(stock.in_lane()) == ["m1"]


class _Vanishing(History):
    """A history whose file is deleted while an undo reads it, once."""

    vanished = False

    def removed(self, undo_id):
        for number, one in enumerate(super().removed(undo_id)):
            if number == 300 and not self.vanished:
                self.vanished = True
                self.path.unlink()
            yield one


def test_a_history_that_is_deleted_in_the_middle_costs_no_message(stock, parts):
    expected = [f"m{number}" for number in range(1200)]
    stock.add_waiting(*expected)
    undo_id = clear(stock)
    history = _Vanishing(parts.history.path)
    assert Undo(stock.settings, history, parts.follower).run(undo_id, "api:ops") == len(expected)
    assert ids(stock.in_lane()) == expected


#: It stands still after so many messages (its 2nd argument): however late it is killed, it is in the middle.
_UNDO = """
import sys
import time
from antrian.operations.dead_letters import undo
from antrian.operations.dead_letters.undo import Undo
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.domain.settings import load_settings

settings = load_settings()
path = history_path(settings)
left = int(sys.argv[2])

class Stuck(undo._OneUndo):
    def _put_back(self, removed, life):
        global left
        left -= not removed.restored
        if left < 0:
            time.sleep(300)
        yield from super()._put_back(removed, life)

undo._OneUndo = Stuck
follower = HistoryFollower(settings, path, urls=settings.amqp_urls)
follower.start()
print(Undo(settings, History(path), follower).run(sys.argv[1], "cli:ani"))
"""


def undo_in_a_process(stock: Stock, undo_id: str, most: int) -> AntrianProcess:
    settings = stock.settings
    environment = os.environ | {
        "AMQP_URL": settings.amqp_urls[0],
        "ANTRIAN_HOME": str(settings.antrian_home),
        "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace,
    }
    root = Path(__file__).parents[2]
    return AntrianProcess(["-c", _UNDO, undo_id, str(most)], env=environment, cwd=root)


def _kill_when(stock: Stock, queue: str, count: int, undo_id: str) -> None:
    # Up to a window of those that it takes up is still on its way.
    ours = undo_in_a_process(stock, undo_id, count + WINDOW + 50)
    with stock.counting(queue) as counted:
        wait_until(lambda: counted() >= count or ours.poll() is not None, 60, f"{count} are back", every=0.001)
    ours.send_signal(signal.SIGKILL)
    assert ours.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("kind", ["clear", "purge"])
def test_an_undo_that_is_killed_in_the_middle_is_finished_when_it_is_done_again(stock, parts, kind):
    expected = [f"m{number}" for number in range(2000)]
    if kind == "clear":
        stock.add_waiting(*expected)
        undo_id, queue = clear(stock), stock.names.lane("default")
    else:
        stock.add_dead(*expected)
        undo_id, queue = parts.dead_letters.purge(EVERYTHING, "api:ops").undo_id, stock.names.dead
    parts.catch_up()
    for share in (0.1, 0.3):
        _kill_when(stock, queue, round(share * len(expected)), undo_id)
    assert stock.count(queue) > 0
    assert parts.undo.run(undo_id, "api:ops") == len(expected)
    back = stock.in_lane() if kind == "clear" else stock.dead()
    copies = {(one.message_id, one.generation) for one in back}
    assert sorted(copies) == sorted((one, 1) for one in expected)
    # Whatever was on its way when the process was killed may be there twice; the consumer sends one of a generation.
    assert len(back) - len(copies) <= 2 * WINDOW
    with pytest.raises(AlreadyUndone):
        parts.undo.run(undo_id, "api:ops")
