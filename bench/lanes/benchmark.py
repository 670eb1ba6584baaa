"""The benchmark `lanes`: how one consumer process carries 50 to 1,000 lanes, and how what it needs grows with them.

The limits are the project's own, for 500 lanes of 10 s each.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.lanes.choice import Choice
from bench.lanes.growth import Growth
from bench.lanes.trial import READY_PATIENCE, Plan, Process, Trial, measure
from bench.provider import run_provider
from bench.report import Report, Table, milliseconds, verdict
from bench.stage import Stage

#: Seconds within which a lane must have gone on after a `kill -9`, beyond its pause.
FAIL_OVER_LIMIT = 3.0

#: Seconds that the 99th percentile of the gaps may have over the delay.
GAP_LIMIT = 0.050


def run(stage: Stage, *, quick: bool, choice: Choice | None = None) -> Report:
    """Measure each number of lanes, and each source tree, one after the other.

    Raises:
        BenchmarkFailed: a consumer ended, or lanes did not go on after the kill.
    """
    asked = choice or Choice()
    delay, seconds = asked.delay or (2.0 if quick else 10.0), asked.seconds or (10.0 if quick else 60.0)
    checkouts = asked.checkouts()
    trials: dict[str, list[Trial]] = {name: [] for name in checkouts}
    for count in asked.counts(quick=quick):
        for name, checkout in checkouts.items():
            if all(trial.ready == trial.lanes for trial in trials[name]):
                # A sandbox of its own: it keeps what arrived, and a thread for each connection.
                with run_provider(stage) as provider:
                    trials[name].append(measure(stage, provider, Plan(count, delay, seconds, checkout)))
    return report(trials)


def report(trials: Mapping[str, Sequence[Trial]]) -> Report:
    """The findings by source tree; pure."""
    tables = [table for name, found in trials.items() for table in _tables(name, found)]
    lines = [_line(name, trial) for name, found in trials.items() for trial in found]
    lines += [line for name, found in trials.items() for line in _growth_lines(name, found)]
    figures = {name: [_figures(trial) for trial in found] for name, found in trials.items()}
    growth = {name: {what: asdict(one) for what, one in _growths(found).items()} for name, found in trials.items()}
    return Report("lanes", tables, lines, {"trials": figures, "growth": growth})


def _tables(name: str, trials: Sequence[Trial]) -> list[Table]:
    if not trials:
        return []
    need = Table(
        f"Lanes on one consumer process, {trials[0].delay:g} s each ({name})",
        ("lanes", "ready after", "all sent after", "connections", "channels", "threads", "memory", "CPU"),
        [(f"{trial.lanes:,}", *_need_cells(trial)) for trial in trials],
        "CPU: of one core, while the lanes were watched.",
    )
    pace = Table(
        f"Their pace, and kill -9 with a standby ({name})",
        (
            "lanes",
            "smallest gap",
            "p99 over the delay",
            "sent twice",
            "late after kill, p50",
            "longest",
            "broker",
            "sandbox",
        ),
        [(f"{trial.lanes:,}", *_pace_cells(trial)) for trial in trials],
        "Late: beyond the kill and the pause. Broker, sandbox: their CPU, of one core, while the lanes were watched.",
    )
    return [need, pace]


def _need_cells(trial: Trial) -> tuple[str, ...]:
    used = trial.process
    if used is None:
        return (f"{trial.ready} in {READY_PATIENCE:.0f} s", *("-" for _ in range(6)))
    return (
        f"{trial.ready_after:.1f} s",
        f"{trial.sent_after:.1f} s",
        f"{used.connections:,}",
        f"{used.channels:,}",
        f"{used.threads:,}",
        f"{used.memory / 1e6:,.0f} MB",
        f"{used.cpu:.1%}",
    )


def _pace_cells(trial: Trial) -> tuple[str, ...]:
    used, gaps, late = trial.process, trial.gaps, trial.lateness
    if used is None or gaps is None or late is None:
        return tuple("-" for _ in range(7))
    return (
        f"{trial.smallest_gap:.4f} s",
        milliseconds(gaps.p99 - trial.delay),
        str(trial.second_sends),
        f"{late.median:.2f} s",
        f"{late.largest:.2f} s",
        f"{used.broker_cpu:.0%}",
        f"{used.provider_cpu:.0%}",
    )


def _line(name: str, trial: Trial) -> str:
    begin = f"lanes: {name}: {trial.lanes:,} lanes, {trial.delay:g} s each: "
    used, gaps, late = trial.process, trial.gaps, trial.lateness
    if used is None or gaps is None or late is None:
        return f"{begin}{trial.ready} ready after {READY_PATIENCE:.0f} s: BELOW"
    over = gaps.p99 - trial.delay
    promise = "OK" if trial.smallest_gap >= trial.delay and not trial.second_sends else "BROKEN"
    return (
        f"{begin}ready after {trial.ready_after:.1f} s; {used.connections} connections, {used.threads} threads, "
        f"{used.memory / 1e6:,.0f} MB, {used.cpu:.1%} of a core; smallest gap {trial.smallest_gap:.4f} s, "
        f"{trial.second_sends} sent twice: {promise}; p99 gap {milliseconds(over)} over the delay: "
        f"{verdict(kept=over <= GAP_LIMIT)}; after kill -9 all went on at most {late.largest:.2f} s late: "
        f"{verdict(kept=late.largest <= FAIL_OVER_LIMIT)}"
    )


_GROWING: Mapping[str, tuple[str, float, str, Callable[[Trial, Process], float]]] = {
    "ready_after": ("ready time", 100, "s", lambda trial, _used: trial.ready_after),
    "memory": ("memory", 100 / 1e6, "MB", lambda _trial, used: float(used.memory)),
    "cpu": ("CPU", 100 * 100, "% of a core", lambda _trial, used: max(used.cpu, 1e-4)),
}


def _growths(trials: Sequence[Trial]) -> dict[str, Growth]:
    whole = [(trial, trial.process) for trial in trials if trial.process is not None]
    if len(whole) < 2:
        return {}
    counts = [trial.lanes for trial, _ in whole]
    return {
        what: Growth.of(counts, [figure(trial, used) for trial, used in whole])
        for what, (_, _, _, figure) in _GROWING.items()
    }


def _growth_lines(name: str, trials: Sequence[Trial]) -> list[str]:
    lines = []
    for what, growth in _growths(trials).items():
        words, factor, unit, _ = _GROWING[what]
        shape = "linear" if growth.is_linear else "NOT LINEAR"
        lines.append(
            f"lanes: {name}: {words} grows by {growth.slope * factor:.2f} {unit} for 100 lanes more, "
            f"with the power {growth.power:.2f} of their number: {shape}"
        )
    return lines


def _figures(trial: Trial) -> dict[str, Any]:
    """As JSON values: what was not measured is null."""
    values = asdict(trial)
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}
