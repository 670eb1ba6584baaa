"""`antrian holds list`: what the messages that wait, wait for."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from antrian.cli.history import open_history
from antrian.cli.hold_view import budget_lines, holds_table
from antrian.cli.lane_now import statuses
from antrian.cli.terminal import Json, chosen_lane, console, print_json, say
from antrian.domain.errors import BrokerError, NoBroker
from antrian.domain.hold import HoldReason
from antrian.domain.settings import Settings, load_settings
from antrian.operations.lane.hold_summary import HoldSummary, LaneWaits, summary_of
from antrian.operations.lane.status import Status


def list_holds(
    *,
    reason: Annotated[HoldReason | None, typer.Option(help="Only messages that wait for this.")] = None,
    lane: Annotated[str | None, typer.Option(help="Only this lane; all of them without it.")] = None,
    as_json: Json = False,
) -> None:
    """Count what waits by what it waits for, with the next release."""
    settings = load_settings()
    lanes = settings.lanes.names if lane is None else (chosen_lane(settings, lane),)
    known = _known(settings, lanes)
    now = time.time()
    with open_history(settings) as history:
        found = [summary_of(name, known.get(name), LaneWaits.of(history, name), now) for name in lanes]
    if as_json:
        print_json({"lanes": [_narrowed(one, reason).as_json() for one in found]})
        return
    for one in found:
        _print(_narrowed(one, reason), now)


def _narrowed(summary: HoldSummary, reason: HoldReason | None) -> HoldSummary:
    return summary if reason is None else summary.only(reason)


def _print(summary: HoldSummary, now: float) -> None:
    total = sum(one.count for one in summary.reasons)
    say(f"Lane {summary.lane}: {total:,} {'message waits' if total == 1 else 'messages wait'}.")
    if summary.reasons:
        console().print(holds_table(summary, summary.reasons, now))
    for line in budget_lines(summary, now):
        say(line)


def _known(settings: Settings, lanes: Sequence[str]) -> dict[str, Status]:
    """The lanes as the broker tells them; nothing where there is none, so that what is known is shown all the same."""
    try:
        return statuses(settings, lanes)
    except (BrokerError, NoBroker) as error:
        typer.echo(f"What the lanes themselves wait for is not known: {error}", err=True)
        return {}
