"""`python -m bench`: measure, and say what came out."""

import importlib.util
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

import bench.admin.benchmark
import bench.admin_lanes.benchmark
import bench.contacts.benchmark
import bench.crash.benchmark
import bench.lanes.benchmark
import bench.pace.benchmark
import bench.publish.benchmark
import bench.receipts.benchmark
import bench.redrive.benchmark
import bench.replay.benchmark
from antrian.domain.errors import AntrianError
from bench.lanes.choice import Choice
from bench.report import Report
from bench.stage import Stage, open_stage

BENCHMARKS: dict[str, Callable[..., Report]] = {
    "publish": bench.publish.benchmark.run,
    "pace": bench.pace.benchmark.run,
    "crash": bench.crash.benchmark.run,
    "lanes": bench.lanes.benchmark.run,
    "replay": bench.replay.benchmark.run,
    "contacts": bench.contacts.benchmark.run,
    "receipts": bench.receipts.benchmark.run,
    "redrive": bench.redrive.benchmark.run,
    "admin": bench.admin.benchmark.run,
    "admin-lanes": bench.admin_lanes.benchmark.run,
}

#: Benchmarks that take the options about lanes, and all that compare with no peer.
_WITH_A_CHOICE = ("lanes", "admin-lanes")
_WITHOUT_PEERS = (*_WITH_A_CHOICE, "contacts", "receipts")

_PEERS = ("celery", "dramatiq")

#: Columns of a table that goes into a file.
_PLAIN_WIDTH = 110


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(BENCHMARKS)}; all without any.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer messages and rounds: about three minutes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    lanes: Annotated[str, typer.Option(help="lanes, admin-lanes: how many, such as 50,100,500.")] = "",
    delay: Annotated[float | None, typer.Option(min=0.1, help="lanes: seconds between two sends of a lane.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="lanes, admin-lanes: how long they are watched.")] = None,
    against: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="lanes, admin-lanes: another source tree too."),
    ] = None,
) -> None:
    """Measure Antrian beside its peers, in one run, on a broker of its own; the figures are for this machine."""
    chosen = list(dict.fromkeys(names or BENCHMARKS))
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        raise typer.BadParameter(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    try:
        counts = tuple(int(count) for count in lanes.split(",") if count)
    except ValueError:
        raise typer.BadParameter("--lanes takes numbers with commas between them") from None
    choice = Choice(counts, delay, seconds, against.resolve() if against else None)
    compared = [name for name in chosen if name not in _WITHOUT_PEERS]
    if missing := [peer for peer in _PEERS if compared and importlib.util.find_spec(peer) is None]:
        sys.exit(f"Error: the benchmarks need {' and '.join(missing)} to compare with: `make bench` installs them")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    benchmarks = BENCHMARKS | {name: partial(BENCHMARKS[name], choice=choice) for name in _WITH_A_CHOICE}
    try:
        _measure(benchmarks, chosen, quick=quick, as_json=as_json)
    except AntrianError as error:
        Console(stderr=True).print(f"Error: {error}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _end(number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C must not leave half of it running.
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def _measure(benchmarks: Mapping[str, Callable[..., Report]], names: list[str], *, quick: bool, as_json: bool) -> None:
    progress, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    with progress.status("") as status, open_stage(_narrator(progress, status.update)) as stage:
        surroundings = _surroundings(stage)
        reports = []
        for name in names:
            reports.append(benchmarks[name](stage, quick=quick))
            if not as_json:
                reports[-1].print_on(console)
    if as_json:
        figures = {report.name: {"lines": report.lines, "figures": report.figures} for report in reports}
        print(json.dumps({"machine": surroundings, "benchmarks": figures}))
    else:
        print(_sentence(surroundings))


def _narrator(progress: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    if progress.is_terminal:
        return update
    said = ""

    def say(sentence: str) -> None:
        nonlocal said
        if sentence != said:
            progress.print(sentence, markup=False, highlight=False, soft_wrap=True)
        said = sentence

    return say


def _surroundings(stage: Stage) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "system": platform.system(),
        "python": platform.python_version(),
        "rabbitmq": stage.version,
    }


def _sentence(machine: dict[str, Any]) -> str:
    return (
        f"Measured on {machine['cores']} cores that clients and broker share, {machine['system']}, "
        f"Python {machine['python']}, RabbitMQ {machine['rabbitmq']}; "
        f"the load average before it was {machine['load'][0]}."
    )


if __name__ == "__main__":
    typer.run(main)
