"""`antrian publish`: one message, as any service would publish it."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from antrian.cli.terminal import Json, Lane, chosen_lane, print_json, say
from antrian.domain.errors import MalformedMessage, WrongUse
from antrian.domain.message import Priority
from antrian.domain.settings import load_settings
from publisher.client import Publisher
from publisher.errors import InvalidMessage
from publisher.outcome import Outcome
from publisher.time_expression import parse_moment

#: Seconds that `--wait` waits, unless told otherwise.
_PATIENCE = 60.0

_TIME = "such as +5m or 2026-01-31T17:00:00+07:00"


def publish(
    phone_number: Annotated[str, typer.Argument(metavar="PHONE", help="The recipient, in any usual spelling.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text to send; - reads it from stdin.")],
    *,
    priority: Annotated[str, typer.Option(help="low, normal, high or urgent.")] = "normal",
    key: Annotated[str | None, typer.Option(help="Idempotency key: of several with one key, one is sent.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help=f"Not before this time, {_TIME}.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="TIME", help=f"Not after this time, {_TIME}.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What kind of message it is, such as payment.")] = None,
    correlation_id: Annotated[str | None, typer.Option(help="Comes back with each event about it.")] = None,
    lane: Lane = None,
    source: Annotated[str, typer.Option(help="The service that it is sent for.")] = "cli",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome; exit code 1 if it is not sent.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0, max=31_536_000, help="Longest wait with --wait, in seconds.")
    ] = _PATIENCE,
    as_json: Json = False,
) -> None:
    """Put one message into the queue."""
    settings = load_settings()
    now = datetime.now(UTC)
    deliver_at, expires_at = _moment("--at", at, now), _moment("--expires", expires, now)
    if expires_at is not None and expires_at <= max(now, deliver_at or now):
        raise WrongUse("--expires: the message would expire before it may be sent")
    fields: dict[str, Any] = {
        "priority": _priority(priority),
        "idempotency_key": key,
        "lane": chosen_lane(settings, lane),
        "deliver_at": deliver_at,
        "expires_at": expires_at,
        "purpose": purpose,
        "correlation_id": correlation_id,
    }
    body = _standard_input() if text == "-" else text
    with Publisher(settings, source=source) as publisher:
        try:
            if wait:
                _tell_outcome(publisher.send_message(phone_number, body, timeout=timeout, **fields), as_json=as_json)
                return
            receipt = publisher.queue_message(phone_number, body, **fields)
        except InvalidMessage as error:
            raise WrongUse(f"nothing was published: {error}") from error
    if as_json:
        print_json({"message_id": receipt.message_id, "lane": receipt.lane, "queued_at": receipt.queued_at})
    else:
        where = "is in the queue of" if deliver_at is None else "waits for its time in"
        say(f"Message {receipt.message_id} {where} lane {receipt.lane}.")


def _tell_outcome(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json({name: getattr(outcome, name) for name in outcome.__slots__})
    else:
        attempt = f" at attempt {outcome.attempt}" if outcome.attempt else ""
        detail = f": {outcome.detail}" if outcome.detail else ""
        say(f"Message {outcome.message_id} is {outcome.status}{attempt}{detail}.")
    if outcome.status != "sent":
        raise typer.Exit(1)


def _priority(text: str) -> Priority:
    try:
        return Priority.parse(text)
    except MalformedMessage as error:
        raise WrongUse(f"--priority {text}: {error}") from error


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    try:
        return None if text is None else parse_moment(text, now)
    except ValueError as error:
        raise WrongUse(f"{option}: {error}") from error


def _standard_input() -> str:
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise WrongUse("the text on stdin is not UTF-8") from error
