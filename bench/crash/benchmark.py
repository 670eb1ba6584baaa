"""The benchmark `crash`: `kill -9` in the pause after a send, start again at once, and see what arrives."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from statistics import median

from bench.crash import contestants
from bench.crash.contestants import Contestant
from bench.crash.story import Record, Story
from bench.provider import Provider, run_provider
from bench.publish.sample import samples
from bench.report import Report, Table
from bench.stage import Stage
from bench.waiting import wait_until

DELAY = 3.0
OURS = "antrian"
_CONTESTANTS: Mapping[str, Callable[..., Contestant]] = {
    OURS: contestants.antrian,
    "plain pika": contestants.naive,
    f"Celery, {60 / DELAY:g}/m": contestants.celery,
}

#: Seconds from a send's arrival to the kill: the send is over and recorded, most of its pause is still to come.
_INTO_THE_PAUSE = 0.3

_MESSAGES = 3
_PATIENCE = 60.0


def run(stage: Stage, *, quick: bool) -> Report:
    """Kill each contestant some times.

    Raises:
        BenchmarkFailed: one of them did not send all its messages.
    """
    trials = 2 if quick else 5
    stories: dict[str, list[Story]] = {name: [] for name in _CONTESTANTS}
    with run_provider(stage) as provider:
        for trial in range(trials):
            for name, build in _CONTESTANTS.items():
                stage.say(f"crash: kill {trial + 1} of {trials}, {name}")
                stories[name].append(_try(build(stage, provider, samples(_MESSAGES), DELAY), provider))
    return report({name: Record.of(told) for name, told in stories.items()}, DELAY)


def report(records: Mapping[str, Record], delay: float) -> Report:
    """The findings; pure."""
    columns = ("", "kills", "sent again", "next send after", "median", "shortest gap")
    table = Table(
        f"kill -9 in the pause after a send, delay {delay:g} s",
        columns,
        [(name, *_cells(record)) for name, record in records.items()],
        "Next send: the first after the crash, counted from the last before it. The process is started again at once.",
    )
    figures = {name: asdict(record) for name, record in records.items()}
    return Report("crash", [table], [_line(name, record, delay) for name, record in records.items()], figures)


def _cells(record: Record) -> tuple[str, ...]:
    over = record.gaps_over_the_crash
    seconds = [f"{value:.3f} s" for value in (min(over), median(over), record.shortest_gap)]
    return (str(record.trials), str(record.second_sends), *seconds)


def _line(name: str, record: Record, delay: float) -> str:
    outcome = ("OK" if record.keeps(delay) else "BROKEN") if name == OURS else "for comparison"
    return (
        f"crash: {name}: sent again: {record.second_sends} in {record.trials} kills; next send after "
        f"{min(record.gaps_over_the_crash):.3f} s (delay {delay:g} s): {outcome}"
    )


def _try(contestant: Contestant, provider: Provider) -> Story:
    provider.forget()
    sender = contestant.sender
    with contestant.child as child:
        provider.wait_for(sender, 1, _PATIENCE)
        time.sleep(_INTO_THE_PAUSE)
        child.kill()
        child.start()
        wait_until(lambda: _different(provider, sender) == _MESSAGES, _PATIENCE, "all messages have arrived", every=0.1)
        # A process that holds a message again may send it again, one pause later.
        time.sleep(DELAY + 1)
    arrivals = provider.arrivals(sender)
    return Story([arrival.at for arrival in arrivals], [arrival.text for arrival in arrivals])


def _different(provider: Provider, sender: str) -> int:
    return len({arrival.text for arrival in provider.arrivals(sender)})
