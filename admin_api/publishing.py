"""Publishing on behalf of an HTTP request: the publisher's errors as problems."""

from admin_api.problems import Problem
from publisher import BrokerUnavailable, ConfirmTimeout, InvalidMessage, Publisher, PublisherError, Receipt, Unroutable
from publisher.request import MessageRequest

#: The code of a publish of which it is unknown whether the broker took it; safe to repeat with the same key.
UNKNOWN = "unknown"

#: What is told while the broker is away; the technical reason is another member of the answer.
AWAY_DETAIL, AWAY_CODE = "The broker does not answer.", "broker-away"

#: Seconds after which a client may try again when the broker is away.
RETRY_AFTER = 5


def publish(publisher: Publisher, request: MessageRequest) -> Receipt:
    """Publish one message.

    Raises:
        Problem: 422 for a message that breaks the contract, 503 for a broker that is away.
    """
    fields = {name: getattr(request, name) for name in request.__slots__ if name not in {"phone_number", "message"}}
    try:
        return publisher.queue_message(request.phone_number, request.message, **fields)
    except PublisherError as error:
        raise problem_of(error) from error


def problem_of(error: PublisherError) -> Problem:
    """What went wrong, for an HTTP client."""
    if isinstance(error, InvalidMessage):
        sentences = [{"field": name, "problem": sentence} for name, sentence in error.fields.items()]
        return Problem(422, "The message cannot be sent", str(error), code=error.code, errors=sentences)
    if isinstance(error, Unroutable):
        return Problem(422, "There is no such lane", str(error), code="unroutable")
    if isinstance(error, BrokerUnavailable):
        return Problem(
            503,
            "Not accepted now",
            AWAY_DETAIL,
            code=AWAY_CODE,
            headers={"Retry-After": str(RETRY_AFTER)},
            reason=str(error),
        )
    code = UNKNOWN if isinstance(error, ConfirmTimeout) else "broker-unavailable"
    return Problem(503, "Not accepted now", str(error), code=code, headers={"Retry-After": str(RETRY_AFTER)})
