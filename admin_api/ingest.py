"""Takes in messages from HTTP: each is checked, its key is claimed, and what is new is published."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.idempotency import Claim, IdempotencyKeys, KeyReused, fingerprint_of
from admin_api.problems import Problem
from admin_api.publishing import UNKNOWN, problem_of
from admin_api.schemas.ingest import NewMessage
from antrian.domain.errors import UnknownLane
from antrian.domain.lane import Lanes
from antrian.domain.settings import Settings
from antrian.domain.trace_context import TraceContext
from antrian.history.queries.history import History
from publisher import InvalidMessage, MessageRequest, Publisher, PublisherError, Receipt
from publisher.request import CheckedRequest, checked


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that can be published, or is in the queue already."""

    request: CheckedRequest
    claim: Claim | None


class Ingest:
    """Where messages come in over HTTP.

    Args:
        settings: of the process.
        publisher: what publishes them.
        history: knows the keys that were used before.
    """

    def __init__(self, settings: Settings, publisher: Publisher, history: History) -> None:
        #: Those of the moment; the process replaces them when the file has others.
        self.lanes = settings.lanes
        self._tokens = TokenFile(settings.tokens_file)
        self._publisher = publisher
        self._keys = IdempotencyKeys(history, settings.whatsapp_queue_dedupe_hours * 3600)

    def accept(
        self, wanted: Sequence[NewMessage], source: str, trace: TraceContext | None = None
    ) -> list[str | Problem]:
        """Put messages into the queue.

        Args:
            wanted: what came in.
            source: the publishing service, for messages that do not say.
            trace: in which trace they came in.

        Returns:
            In the same order, the message's id once the broker has it on disk, or why it was not accepted.
        """
        ready = [self._ready(one, source, trace) for one in wanted]
        fresh = [one for one in ready if isinstance(one, _Ready) and not (one.claim and one.claim.known)]
        published = self._publish(fresh)
        return [self._answer(one, published) for one in ready]

    def _answer(self, one: _Ready | Problem, published: Iterator[str | Problem]) -> str | Problem:
        if isinstance(one, Problem):
            return one
        return one.claim.message_id if one.claim and one.claim.known else next(published)

    def _publish(self, fresh: Sequence[_Ready]) -> Iterator[str | Problem]:
        results = self._publisher.queue_messages(one.request for one in fresh)
        for one, result in zip(fresh, results, strict=True):
            if isinstance(result, Receipt):
                yield result.message_id
            else:
                yield self._refused(one, result)

    def _refused(self, one: _Ready, error: PublisherError) -> Problem:
        problem = problem_of(error)
        if one.claim is not None and problem.code != UNKNOWN:
            self._keys.release(one.claim)
        return problem

    def _ready(self, wanted: NewMessage, source: str, trace: TraceContext | None) -> _Ready | Problem:
        try:
            # A trace is no part of the message: the same message may be sent again in another one.
            request = self._request(wanted, source)
            if trace is not None:
                request = replace(request, traceparent=trace.traceparent, tracestate=trace.tracestate)
            ready = checked(request, source, time.time())
        except InvalidMessage as error:
            return problem_of(error)
        if request.idempotency_key is None:
            return _Ready(ready, None)
        fingerprint = fingerprint_of(wanted.model_dump_json(exclude_none=True))
        try:
            composed = ready.composed
            claim = self._keys.claim(composed.body.source, request.idempotency_key, fingerprint, composed)
        except KeyReused:
            title = "This key was already used with a different body"
            return Problem(422, title, "a key belongs to one message", code="idempotency-key-reused")
        return _Ready(replace(ready, composed=replace(composed, message_id=claim.message_id)), claim)

    def _request(self, wanted: NewMessage, source: str) -> MessageRequest:
        lane = wanted.lane or _only(self.lanes)
        self._check_source(wanted.source, source)
        fields = wanted.model_dump() | {"lane": lane, "source": wanted.source or source}
        return MessageRequest.of(fields)

    def _check_source(self, named: str | None, service: str) -> None:
        """A service may speak for others, but not for one that speaks for itself: their keys would meet."""
        others = {token.name for token in self._tokens.tokens().values() if token.role is Role.PUBLISHER} - {service}
        if named in others:
            raise InvalidMessage("foreign-source", "this source has its own publisher token")


def _only(lanes: Lanes) -> str:
    try:
        return lanes.meant_by(None).name
    except UnknownLane as error:
        raise InvalidMessage(error.code, error.detail) from error
