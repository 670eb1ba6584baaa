import time

import pytest
from factories import NOW, make_message

from antrian.broker.queue_scan.publication import Found
from antrian.broker.topology import Names
from antrian.domain.message import AttemptFailure, decode, encode, retry_of
from antrian.history.dead_letter import DeadLetter
from antrian.operations.dead_letters.redrive_steps import RedriveSteps

NAMES = Names("wa")
FAILURE = AttemptFailure(3, NOW, "transient", "timeout", "no answer")


@pytest.fixture
def letter():
    body, properties = encode(retry_of(make_message(), FAILURE, attempt=3))
    return DeadLetter.of(Found(NAMES.dead, "default", properties, body), NAMES, now=NOW)


def test_a_redriven_message_begins_anew(letter):
    before = time.time()
    told, copy = RedriveSteps(NAMES, "cli:ani").back_in_lane(letter)
    assert (told.exchange, copy.exchange) == (NAMES.events, NAMES.messages)
    again = decode(copy.body, copy.properties, "default", now=NOW)
    assert (again.message_id, again.attempt, again.generation) == ("m1", 1, letter.generation + 1)
    assert again.queued_at == letter.message.queued_at
    # On the wire it is in whole milliseconds, rounded.
    assert before - 0.001 <= again.wanted_at <= time.time() + 0.001
