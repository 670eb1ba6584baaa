"""`POST /messages`: for services that speak HTTP instead of AMQP."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from admin_api.dependencies import Service, ServicesHere
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.schemas.ingest import Batch, BatchAnswer, BatchItem, NewMessage
from admin_api.schemas.lane import Accepted
from antrian.domain.body import LONGEST_KEY
from antrian.domain.trace_context import TRACEPARENT, TRACESTATE, TraceContext, read_trace

router = APIRouter(tags=["publish"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        description="The same key with the same body gets the same answer and is sent once; with another body: 422.",
    ),
]


@router.post("/messages", status_code=202, responses=problems(503))
def accept(
    services: ServicesHere, actor: Service, request: Request, wanted: NewMessage, idempotency_key: Key = None
) -> Accepted:
    """Put one message into the queue; answered when the broker has it on disk."""
    if idempotency_key is not None:
        if wanted.idempotency_key not in {None, idempotency_key}:
            raise Problem(422, "Two keys", "the header and the body name different keys", code="two-keys")
        wanted = wanted.model_copy(update={"idempotency_key": idempotency_key})
    [answer] = services.intake.accept([wanted], actor.name, _trace(request))
    if isinstance(answer, Problem):
        raise answer
    return Accepted(message_id=answer)


@router.post("/messages/batch", responses=problems())
def accept_many(services: ServicesHere, actor: Service, request: Request, batch: Batch) -> BatchAnswer:
    """Put many messages into the queue; each is accepted or refused for itself, in the batch's order."""
    items = [_item(answer) for answer in services.intake.accept(batch.messages, actor.name, _trace(request))]
    return BatchAnswer(accepted=sum(item.message_id is not None for item in items), items=items)


def _trace(request: Request) -> TraceContext | None:
    """The trace that the request belongs to, by the headers that the W3C named."""
    return read_trace(request.headers.get(TRACEPARENT), request.headers.get(TRACESTATE))


def _item(answer: str | Problem) -> BatchItem:
    if isinstance(answer, Problem):
        return BatchItem(status=answer.status, code=answer.code, detail=answer.detail)
    return BatchItem(status=202, message_id=answer)
