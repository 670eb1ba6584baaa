"""Each publish gets its own answer, however the broker bundles them."""

from collections.abc import Callable
from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from pika.frame import Method

from antrian.broker.confirms import Confirmation, ConfirmChannel

CONFIRMED, RETURNED, REFUSED, LOST = Confirmation


class Wire:
    """A channel as the broker sees it: it takes publishes, and the test answers."""

    is_open = True
    connection = None

    def __init__(self) -> None:
        self.published: list[tuple[str, str, str]] = []

    def confirm_delivery(self, ack_nack_callback: Callable[[Method[Any]], None]) -> None:
        self._answer = ack_nack_callback

    def add_on_return_callback(self, callback: Callable[..., None]) -> None:
        self._return = callback

    def add_on_close_callback(self, callback: Callable[..., None]) -> None:
        self._close = callback

    def basic_publish(self, exchange: str, key: str, _body: bytes, properties: Any, _mandatory: object) -> None:
        self.published.append((exchange, key, properties.message_id))

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self._answer(Method(1, spec.Basic.Ack(tag, multiple)))

    def nack(self, tag: int, *, multiple: bool = False) -> None:
        self._answer(Method(1, spec.Basic.Nack(tag, multiple)))

    def give_back(self, tag: int) -> None:
        exchange, key, message_id = self.published[tag - 1]
        method = spec.Basic.Return(312, "NO_ROUTE", exchange, key)
        self._return(self, method, pika.BasicProperties(message_id=message_id), b"")

    def end(self) -> None:
        self._close(self, RuntimeError("gone"))


class Publishes:
    """Publishes with their answers, by delivery tag."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.channel = ConfirmChannel(self.wire)  # type: ignore[arg-type]
        self.answers: dict[int, list[Confirmation]] = {}

    def send(self, message_id: str, key: str = "default") -> int:
        tag = len(self.answers) + 1
        self.answers[tag] = []
        properties = pika.BasicProperties(message_id=message_id)
        self.channel.publish("wa.messages", key, b"", properties, self.answers[tag].append)
        return tag


@pytest.fixture
def publishes() -> Publishes:
    publishes = Publishes()
    for number in range(4):
        publishes.send(f"m{number}")
    return publishes


def test_one_answer_is_for_one_publish(publishes: Publishes) -> None:
    publishes.wire.ack(3)
    publishes.wire.nack(1)
    assert publishes.answers == {1: [REFUSED], 2: [], 3: [CONFIRMED], 4: []}
    assert publishes.channel.in_flight == 2


def test_one_answer_may_be_for_all_before_it_that_have_none(publishes: Publishes) -> None:
    publishes.wire.nack(2)
    publishes.wire.ack(3, multiple=True)
    publishes.wire.nack(4, multiple=True)
    assert publishes.answers == {1: [CONFIRMED], 2: [REFUSED], 3: [CONFIRMED], 4: [REFUSED]}


def test_a_message_that_comes_back_before_its_confirm_was_not_routed(publishes: Publishes) -> None:
    publishes.wire.give_back(2)
    publishes.wire.ack(4, multiple=True)
    assert publishes.answers == {1: [CONFIRMED], 2: [RETURNED], 3: [CONFIRMED], 4: [CONFIRMED]}


def test_one_id_that_comes_back_twice_was_not_routed_twice() -> None:
    publishes = Publishes()
    for key in ("misspelt", "default", "misspelt"):
        publishes.send("same", key)
    publishes.wire.give_back(1)
    publishes.wire.give_back(3)
    publishes.wire.ack(3, multiple=True)
    assert publishes.answers == {1: [RETURNED], 2: [CONFIRMED], 3: [RETURNED]}


def test_what_has_no_answer_when_the_channel_ends_is_lost(publishes: Publishes) -> None:
    publishes.wire.ack(1)
    publishes.wire.end()
    assert publishes.answers == {1: [CONFIRMED], 2: [LOST], 3: [LOST], 4: [LOST]}
    assert publishes.channel.in_flight == 0


@given(st.lists(st.tuples(st.sampled_from(["publish", "ack", "nack"]), st.integers(1, 30), st.booleans()), max_size=60))
def test_every_publish_has_exactly_one_answer_in_the_end(happenings: list[tuple[str, int, bool]]) -> None:
    publishes = Publishes()
    for what, tag, multiple in happenings:
        if what == "publish":
            publishes.send("same")
        elif tag <= len(publishes.answers):
            getattr(publishes.wire, what)(tag, multiple=multiple)
    publishes.wire.end()
    assert all(len(answers) == 1 for answers in publishes.answers.values())
