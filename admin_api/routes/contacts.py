"""Who is known to a sender, and who does not want messages of a purpose."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.auth.authorization import Actor
from admin_api.dependencies import LaneToShow, Operator, ServicesHere, Viewer
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.schemas.contacts import ContactAnswer, NewOptOut, OptOutAnswer, OptOutPageAnswer
from admin_api.schemas.values import Cursor, Limit
from antrian.contacts.views import OptOutPage
from antrian.domain.contact import Standing
from antrian.domain.contact_event import OptChannel
from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import normalize
from antrian.operations.contacts.contact_view import contact_details, opt_out_details
from antrian.operations.contacts.opt_outs import NotOptedOut, OptChange, UnknownPurpose

router = APIRouter(tags=["contacts"])

#: Seconds without progress for which a request waits until the contacts have been read.
_PATIENCE = 5.0


@router.get("/contacts/{number}", responses=problems(404, 503))
def contact(
    services: ServicesHere, number: str, actor: Viewer, shown: LaneToShow, lane: Annotated[str | None, Query()] = None
) -> ContactAnswer:
    """What each sender knows of a person, and what they opted out of; with `lane`, only what its sender knows."""
    recipient = _number(number)
    note_guess = services.guesses.begin(actor, recipient)
    view = services.contacts.caught_up_book(_PATIENCE).show(recipient)
    details = contact_details(view, services.settings.lanes, lane and shown, masked=actor.is_masked)
    is_known = bool(view.opt_outs) or any(one.standing is not Standing.COLD for one in view.senders)
    note_guess(is_known)
    return ContactAnswer(**details)


@router.get("/optouts", responses=problems(503))
def opt_outs(
    services: ServicesHere,
    actor: Viewer,
    phone_number: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[Cursor, Query()] = None,
    limit: Limit = 50,
) -> OptOutPageAnswer:
    """The opt-outs in force, newest first; with `phone_number`, those of one person."""
    book = services.contacts.caught_up_book(_PATIENCE)
    if phone_number:
        recipient = _number(phone_number)
        note_guess = services.guesses.begin(actor, recipient)
        found = book.show(recipient).opt_outs
        note_guess(bool(found))
        page = OptOutPage(tuple(sorted(found, key=lambda one: one.at, reverse=True)), len(found), None)
    else:
        page = book.opt_outs(cursor, limit)
    items = [opt_out_details(one, masked=actor.is_masked) for one in page.rows]
    return OptOutPageAnswer.model_validate({"items": items, "total": page.total, "next_cursor": page.cursor})


@router.post("/optouts", status_code=201, responses=problems(503))
def opt_out(services: ServicesHere, wanted: NewOptOut, actor: Operator) -> OptOutAnswer:
    """Record that a person wants no messages of a purpose any more: from now on none is sent to them."""
    recipient = _number(wanted.phone_number)
    by, channel = actor.label, _channel(actor)
    return _answer(
        lambda: services.opt_outs.add(recipient, wanted.purpose, words=wanted.words, by=by, channel=channel, source=by)
    )


@router.delete("/optouts/{number}", responses=problems(404, 503))
def opt_in(
    services: ServicesHere, number: str, actor: Operator, purpose: Annotated[str, Query(max_length=40)] = "all"
) -> OptOutAnswer:
    """Record that a person wants messages again: of one purpose, or all."""
    recipient = _number(number)
    services.contacts.caught_up_book(_PATIENCE)
    by, channel = actor.label, _channel(actor)
    return _answer(lambda: services.opt_outs.remove(recipient, purpose, by=by, channel=channel, source=by))


def _number(written: str) -> str:
    try:
        return normalize(written)
    except InvalidPhoneNumber as error:
        raise Problem(422, "This is no phone number", str(error), code=error.code) from error


def _channel(actor: Actor) -> OptChannel:
    return "page" if actor.label.startswith("web:") else "api"


def _answer(record: Callable[[], OptChange]) -> OptOutAnswer:
    try:
        change = record()
    except UnknownPurpose as error:
        raise Problem(422, "No such purpose", str(error), code="unknown-purpose") from error
    except NotOptedOut as error:
        raise Problem(404, "Not opted out", str(error), code="not-opted-out") from error
    values = asdict(change)
    return OptOutAnswer(phone_number=values.pop("recipient"), **values)
