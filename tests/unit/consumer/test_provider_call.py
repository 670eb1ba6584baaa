"""Calls to the providers share a few threads, and a provider that hangs never has all of them."""

import threading
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing, Sent
from consumer.inbox import CallGranted, ProviderAnswered
from consumer.provider_call import ProviderCalls, may_begin

OUTGOING = Outgoing("m1", "+6281234567890", "Halo")


class Lane:
    """Receives what its calls lead to."""

    def __init__(self) -> None:
        self.heard = []

    def receive(self, signal) -> None:
        self.heard.append(signal)


class Hanging:
    name = "hanging"

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def send(self, _outgoing) -> Sent:
        self.go_on.wait(60)
        return Sent("late")

    def close(self) -> None:
        pass


class Quick(Hanging):
    def send(self, _outgoing) -> Sent:
        return Sent("quick")


class Broken(Hanging):
    def send(self, _outgoing) -> Sent:
        raise ValueError("a bug of the adapter")


@pytest.fixture
def inbox() -> SimpleQueue:
    return SimpleQueue()


def take_in(inbox: SimpleQueue, seconds: float = 20) -> None:
    receiver, signal = inbox.get(timeout=seconds)
    receiver.receive(signal)


def test_a_call_is_made_and_its_answer_told(inbox) -> None:
    calls, lane = ProviderCalls(inbox), Lane()
    calls.join("a")
    reservation = calls.reserve("a", lane)
    assert reservation.is_granted
    number = calls.begin(reservation, Quick(), OUTGOING)
    take_in(inbox)
    assert lane.heard == [ProviderAnswered(number, Sent("quick"))]


def test_an_adapter_that_breaks_may_have_sent_the_message(inbox) -> None:
    calls, lane = ProviderCalls(inbox), Lane()
    calls.begin(calls.reserve("a", lane), Broken(), OUTGOING)
    take_in(inbox)
    [answered] = lane.heard
    assert answered.result == Failed(FailureClass.UNCERTAIN, "adapter-error", "ValueError")


def test_a_provider_that_hangs_holds_up_its_own_lanes_and_no_others(inbox) -> None:
    calls, hanging = ProviderCalls(inbox, most=8), Hanging()
    lanes = [Lane() for _ in range(20)]
    calls.join("quick")
    for _ in lanes:
        calls.join("hanging")
    reservations = [calls.reserve("hanging", lane) for lane in lanes]
    granted = [one for one in reservations if one.is_granted]
    assert len(granted) == 7
    for one in granted:
        calls.begin(one, hanging, OUTGOING)
    before = threading.active_count()
    for _ in range(3):
        lane = Lane()
        reservation = calls.reserve("quick", lane)
        assert reservation.is_granted
        calls.begin(reservation, Quick(), OUTGOING)
        take_in(inbox)
        assert isinstance(lane.heard[0], ProviderAnswered)
    assert threading.active_count() <= before + 1
    hanging.go_on.set()
    for _ in granted:
        take_in(inbox)
    # What was free went to those that had waited longest.
    assert [one.is_granted for one in reservations[7:14]] == [True] * 7
    assert [signal for lane in lanes[7:14] for signal in lane.heard] == [CallGranted()] * 7


def test_a_call_that_is_not_made_is_given_back_and_one_that_waits_no_more_is_not_granted(inbox) -> None:
    calls, lanes = ProviderCalls(inbox, most=1), [Lane(), Lane(), Lane()]
    first, second, third = (calls.reserve("a", lane) for lane in lanes)
    assert [first.is_granted, second.is_granted, third.is_granted] == [True, False, False]
    calls.release(second)
    calls.release(first)
    assert not second.is_granted
    assert third.is_granted
    calls.release(third)
    assert calls.reserve("a", Lane()).is_granted


endpoints = st.sampled_from(["a", "b", "c"])


@given(st.lists(endpoints, min_size=1), st.dictionaries(endpoints, st.integers(1, 50), min_size=1), st.integers(6, 48))
def test_every_provider_can_always_make_a_call_of_its_own(order, lanes, most) -> None:
    under_way = dict.fromkeys("abc", 0)
    for endpoint in order * most:
        if endpoint in lanes and under_way[endpoint] < lanes[endpoint] and may_begin(endpoint, under_way, lanes, most):
            under_way[endpoint] += 1
    assert sum(under_way.values()) <= most
    for endpoint in lanes:
        if under_way[endpoint] == 0:
            assert may_begin(endpoint, under_way, lanes, most)


def test_one_provider_alone_may_use_every_thread() -> None:
    under_way = {"a": 0}
    while may_begin("a", under_way, {"a": 100}, 48):
        under_way["a"] += 1
    assert under_way["a"] == 48


def test_threads_are_made_as_they_are_needed(inbox) -> None:
    calls = ProviderCalls(inbox)
    before = threading.active_count()
    for _ in range(10):
        calls.begin(calls.reserve("a", Lane()), Quick(), OUTGOING)
        take_in(inbox)
    assert threading.active_count() <= before + 1
