"""`antrian plan`: when would so many messages be sent, and what would hold them up? Nothing is queued."""

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from antrian.cli.lane_now import statuses
from antrian.cli.terminal import Json, Lane, chosen_lane, print_json, progress
from antrian.domain.contact import Standing
from antrian.domain.errors import BrokerError, CommandFailed, MalformedMessage, NoBroker, WrongUse
from antrian.domain.priority import Priority
from antrian.domain.settings import Settings, load_settings
from antrian.operations.bulk_import.columns import UnknownColumns
from antrian.operations.bulk_import.row import MESSAGE_COLUMNS, ColumnSet, UnreadableFile
from antrian.operations.bulk_import.source_file import STDIN, format_of, opened
from antrian.operations.contacts.contact_file import ContactFindings, survey_contacts
from antrian.operations.lane.hold_summary import LaneWaits
from antrian.operations.lane.plan import MOST_ASKED, PlannedRecipient, PlanQuestion, make_plan
from antrian.operations.lane.plan_facts import backlog_of, doubts, start_of
from antrian.operations.lane.status import Status
from publisher.time_expression import parse_moment

#: A file of messages does, and one of contacts.
_COLUMNS = ColumnSet((*MESSAGE_COLUMNS.fields, "timezone"), ("phone_number",), has_notes=True)


def plan(
    *,
    messages: Annotated[
        int, typer.Option(min=0, max=MOST_ASKED, help="How many more messages; 0 asks for what waits already.")
    ] = 0,
    priority: Annotated[str, typer.Option(help="Theirs: low, normal, high or urgent.")] = "normal",
    cold: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Which share of them goes to new contacts, 0 to 1.")
    ] = 0.0,
    lane: Lane = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="TIME", help="How many senders it takes until then, such as +2d.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="A .csv or .jsonl file with a column phone_number, instead of --messages.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell when so many messages would be sent, what would hold them up, and how many senders a deadline takes.

    Nothing is queued. What waits already goes first. With a file, those are new contacts whom the sender does not know.
    """
    settings = load_settings()
    name = chosen_lane(settings, lane)
    if file is not None and (messages or cold):
        raise WrongUse("give either --file, or --messages and --cold")
    if file == STDIN:
        raise WrongUse("--file must name a file: a plan does not read stdin")
    until = None if deadline is None else _moment(deadline)
    number = _priority(priority)
    status = _status(settings, name)
    waiting = _waiting(settings, name) if status else None
    people = [] if file is None else _recipients(settings, name, file, knows_contacts=status is not None)
    question = PlanQuestion(messages=messages, priority=number, cold=cold, recipients=people, deadline=until)
    now, it = time.time(), settings.lanes[name]
    backlog = backlog_of(it, status, waiting, now)
    answer = make_plan(name, question, start_of(it, status, waiting, now), backlog, doubts(status, waiting, backlog))
    if as_json:
        print_json(answer.as_json())
        return
    # Imported late: programs ask for JSON.
    from antrian.cli.plan_view import print_plan  # noqa: PLC0415

    print_plan(answer, until)


def _moment(text: str) -> float:
    try:
        until = parse_moment(text, datetime.now(UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise WrongUse(f"--deadline: {error}") from error
    if until <= time.time():
        raise WrongUse(f"--deadline: {text} is over")
    return until


def _priority(name: str) -> Priority:
    try:
        return Priority.parse(name)
    except MalformedMessage as error:
        raise WrongUse(f"--priority: {error}") from error


def _status(settings: Settings, lane: str) -> Status | None:
    """The lane as the broker tells it; without one a plan is made all the same, and says so."""
    try:
        return statuses(settings, [lane]).get(lane)
    except (BrokerError, NoBroker):
        return None


def _waiting(settings: Settings, lane: str) -> LaneWaits | None:
    # Imported late: without a broker there is nothing to read.
    from antrian.cli.history import open_history  # noqa: PLC0415

    try:
        with open_history(settings) as history:
            return LaneWaits.of(history, lane)
    except CommandFailed:
        return None


def _recipients(settings: Settings, lane: str, file: str, *, knows_contacts: bool) -> Sequence[PlannedRecipient]:
    """The people of a file, and who of them the sender knows; without a broker it knows nobody."""
    try:
        findings = _findings(file)
    except UnreadableFile as error:
        raise WrongUse(f"{file}: {error}") from error
    if not findings.right:
        raise WrongUse(f"{file} names nobody")
    if findings.wrong:
        what = "1 row that names nobody is" if findings.wrong == 1 else f"{findings.wrong:,} rows that name nobody are"
        typer.echo(f"{what} left out.", err=True)
    people = [(number, zone) for zone, numbers in findings.batches() for number in numbers]
    cold = _cold(settings, lane, [number for number, _ in people]) if knows_contacts else {one for one, _ in people}
    return [PlannedRecipient(number, number in cold, zone) for number, zone in people]


def _findings(file: str, ignored: Collection[str] = ()) -> ContactFindings:
    """The people of a file; what else its columns say is of no use here."""
    try:
        with opened(file, format_of(file), ignored, _COLUMNS) as rows, progress("rows read", None) as bar:
            return survey_contacts(rows, bar.move_to)
    except UnknownColumns as unknown:
        if ignored:
            raise
        return _findings(file, unknown.names)


def _cold(settings: Settings, lane: str, numbers: Sequence[str]) -> set[str]:
    # Imported late: most plans are made without a file.
    from antrian.operations.contacts.contacts_stream import own_book  # noqa: PLC0415

    sender = settings.lanes[lane].sender_key
    with progress("entries read", None) as bar, own_book(settings, bar.move_to) as book:
        return {number for number in numbers if book.standing(sender, number) is Standing.COLD}
