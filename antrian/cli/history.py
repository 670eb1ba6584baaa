"""`antrian history MESSAGE_ID`, `history search`, `history rebuild`: the lives of messages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from antrian.broker.connection import broker_urls
from antrian.broker.gc_tuning import collect_rarely
from antrian.cli.hold_view import hold_sentence
from antrian.cli.lane_now import lanes_of
from antrian.cli.life_view import life_table, life_verdict, message_card, message_json, message_table
from antrian.cli.terminal import (
    Json,
    ShowNumbers,
    console,
    print_json,
    progress,
    say,
    which_numbers,
)
from antrian.domain.errors import CommandFailed, NoBroker, WrongUse
from antrian.domain.human_time import moment
from antrian.domain.settings import Settings, load_settings
from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import History, history_path
from antrian.history.rebuild import catch_up
from antrian.history.rebuild import rebuild as make_again
from antrian.history.records import MessageFilter, SearchState, told_apart
from antrian.operations.lane.holds import waits_for
from publisher.time_expression import parse_moment


class _IdOrCommand(TyperGroup):
    """What is no command here is a message id: `history ID` stands for `history show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the left-out command in its place."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["show", *args]
        return super().parse_args(ctx, args)


history_app = typer.Typer(
    cls=_IdOrCommand,
    no_args_is_help=True,
    subcommand_metavar="MESSAGE_ID | COMMAND [ARGS]...",
    help="What happened to a message: its life line by its id, or a search.",
)

When = Annotated[str | None, typer.Option(metavar="WHEN", help="Such as 2h (ago), or 2026-01-31T17:00:00+07:00.")]


@history_app.command(hidden=True)
def show(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="The message's id.")], *, as_json: Json = False
) -> None:
    """Show one message and everything that happened to it."""
    settings, now = load_settings(), time.time()
    with open_history(settings) as history:
        record, life, place = history.message(message_id), history.life(message_id), history.place(message_id)
    if record is None:
        raise CommandFailed(f"no message has the id {message_id}")
    hold = waits_for(record, lanes_of([record], settings).get(record.lane), now, place)
    if as_json:
        print_json(message_json(record, life, hold=hold))
    else:
        console().print(message_card(record, life))
        console().print(life_table(life))
        say(life_verdict(life, now))
        if hold is not None:
            say(hold_sentence(hold, now))


@history_app.command()
def search(
    *,
    number: Annotated[str | None, typer.Option(help="The recipient in any usual spelling, or some digits.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key, message id or the provider's id.")] = None,
    text: Annotated[str | None, typer.Option(help="Words of the text; the last one may be incomplete.")] = None,
    status: Annotated[list[SearchState] | None, typer.Option(help="Where it is; may be given several times.")] = None,
    source: Annotated[str | None, typer.Option(help="The publishing service.")] = None,
    lane: Annotated[str | None, typer.Option(help="Which lane.")] = None,
    since: When = None,
    until: When = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many, the newest first.")] = 20,
    show_numbers: ShowNumbers = False,
    as_json: Json = False,
) -> None:
    """Find messages; several options narrow each other down."""
    states, deliveries = told_apart(status or ())
    wanted = MessageFilter(
        phone_number=number,
        key=key,
        text=text,
        states=states if status else None,
        deliveries=deliveries,
        source=source,
        lane=lane,
        since=_moment(since, "--since"),
        until=_moment(until, "--until"),
    )
    settings, now = load_settings(), time.time()
    with open_history(settings) as history:
        page = history.messages(wanted, limit=limit)
    if as_json:
        lanes = lanes_of(page.items, settings)
        holds = (waits_for(record, lanes.get(record.lane), now) for record in page.items)
        found = [
            message_json(one, masked=not show_numbers, hold=hold) for one, hold in zip(page.items, holds, strict=True)
        ]
        more = page.next_cursor is not None
        print_json({"messages": found, "more": more, "numbers": which_numbers(show=show_numbers)})
        return
    if page.items:
        console().print(message_table(page.items, masked=not show_numbers))
    say(f"{len(page.items)} messages{'; there are more' if page.next_cursor else ''}.")


@history_app.command()
def rebuild(*, as_json: Json = False) -> None:
    """Rebuild the history from the journal. The one in use is replaced when the new one is complete."""
    settings = load_settings()
    began_at = time.monotonic()
    collect_rarely()
    with progress("entries read", None) as bar:
        position = make_again(settings, history_path(settings), broker_urls(settings), on_progress=bar.move_to)
    seconds = round(time.monotonic() - began_at, 2)
    if as_json:
        print_json({"entries": position.entries, "offset": position.offset, "seconds": seconds})
    else:
        say(f"The history was rebuilt from {position.entries:,} journal entries, in {seconds} s.")


@contextmanager
def open_history(settings: Settings) -> Iterator[History]:
    """The history, up to date if there is a broker; it is brought up to date here if no other process does that."""
    path = history_path(settings)
    history = History(path)
    try:
        urls = broker_urls(settings)
    except NoBroker as error:
        _warn(history, str(error))
        yield history
        return
    collect_rarely()
    follower = HistoryFollower(settings, path, urls=urls, quiet=True)
    follower.start()
    try:
        with progress("entries read", None) as bar:
            is_complete = catch_up(follower, history, bar.move_to)
        if not is_complete:
            _warn(history, follower.trouble or "the journal does not answer")
        yield history
    finally:
        follower.stop()


def _warn(history: History, reason: str) -> None:
    checked_at = history.position().checked_at
    if checked_at is None:
        raise CommandFailed(f"there is no history yet: {reason}")
    typer.echo(f"This is what was known at {moment(checked_at)}: {reason}", err=True)


def _moment(text: str | None, option: str) -> float | None:
    """Unix seconds of a time, or of so long ago."""
    if text is None:
        return None
    now = datetime.now(UTC)
    try:
        if text.strip()[-1:].lower() in {"s", "m", "h", "d"}:
            return (now - (parse_moment(f"+{text.strip()}", now) - now)).timestamp()
        return parse_moment(text, now).timestamp()
    except (ValueError, OverflowError) as error:
        raise WrongUse(f"{option} {text}: write 2h (ago), 1h 30m, or 2026-01-31T17:00:00+07:00") from error
