"""What pika reports about a connection, in our words."""

import pytest
from pika.exceptions import (
    AMQPConnectionError,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    StreamLostError,
)

from antrian.broker.connection import translate
from antrian.domain.errors import BrokerRefused, BrokerUnreachable

GUESSES = [ProbableAccessDeniedError, ProbableAuthenticationError]
WHERE = "rabbit:5672"


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("code", [403, 530])
def test_a_broker_that_says_no_in_the_handshake_refuses(guess: type[AMQPConnectionError], code: int) -> None:
    error = translate(guess(repr(ConnectionClosedByBroker(code, "ACCESS_REFUSED"))), WHERE)
    assert type(error) is BrokerRefused
    assert "refuses this user" in str(error)


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize(
    "cause", [StreamLostError("Transport indicated EOF"), ConnectionClosedByBroker(320, "CONNECTION_FORCED")]
)
def test_a_connection_that_breaks_in_the_handshake_is_no_refusal(
    guess: type[AMQPConnectionError], cause: AMQPConnectionError
) -> None:
    error = translate(guess(repr(cause)), WHERE)
    assert type(error) is BrokerUnreachable
    assert WHERE in str(error)


def test_a_broker_that_says_no_later_refuses_too() -> None:
    assert type(translate(ConnectionClosedByBroker(403, "ACCESS_REFUSED"), WHERE)) is BrokerRefused
    assert type(translate(ConnectionClosedByBroker(541, "INTERNAL_ERROR"), WHERE)) is BrokerUnreachable
