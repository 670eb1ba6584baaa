"""What people are told of an import, sentence by sentence; pure."""

from collections.abc import Iterator

from antrian.operations.bulk_import.already_queued import KnownPlace
from antrian.operations.bulk_import.bounded_list import Listing
from antrian.operations.bulk_import.publish import RowResult
from antrian.operations.bulk_import.report import ImportSummary
from antrian.operations.bulk_import.row import Refusal

#: What is shown of a list.
_SHOWN = 20

_WORDS = {
    KnownPlace.QUEUED: "{} in the queue already",
    KnownPlace.SENT: "{} sent in the last {hours:g} h",
    KnownPlace.DEAD: "{} given up, with a dead letter that can be re-driven",
    KnownPlace.CANCELLED: "{} cancelled in the last {hours:g} h",
}


def refusal(report: ImportSummary, file: str) -> list[str]:
    """Why nothing is queued, for people; a heading and a line for each problem."""
    wrong, read = report.findings.wrong, rows_in_words(report.findings.read)
    heading = f"nothing was queued: {wrong:,} of {read} in {file} are wrong"
    return [
        heading,
        *refused_rows(report.findings.refusals),
        "Correct them, or leave them out with --skip-invalid.",
    ]


def sentences(report: ImportSummary) -> list[str]:
    """The end, for people."""
    outcome = report.outcome
    if not report.findings.read:
        return ["The file has no rows: nothing was queued."]
    said = [_dry(report) if outcome is None else _wet(report, outcome)]
    if report.already:
        said.append(f"Left out: {'; '.join(_places(report))}.")
    if outcome is not None and (outcome.trouble or outcome.interrupted):
        said.append("Run the same command again: what is in the queue is not sent twice.")
    elif outcome is not None and outcome.queued and not report.blind:
        said.append(
            "It is safe to import this again: what is in the queue, or was sent in the last "
            f"{report.hours:g} h, is left out then (with --batch NAME it is sent again)."
        )
    return said


def remarks(report: ImportSummary) -> list[str]:
    """What is worth knowing besides, for people."""
    said: list[str] = []
    if report.findings.wrong:
        said += [
            f"{rows_in_words(report.findings.wrong)} left out as wrong:",
            *refused_rows(report.findings.refusals),
        ]
    if (repeated := report.findings.repeated).count:
        said.append(f"{rows_in_words(repeated.count)} left out, because an earlier row has the same idempotency key:")
        said += _listed((f"line {one.line}, as line {one.first}" for one in repeated.first), repeated.count)
    if report.outcome is not None and (refused := report.outcome.refused).count:
        said.append(f"{rows_in_words(refused.count)} not accepted:")
        said += _listed((f"line {one.line}: {one.reason}" for one in refused.first), refused.count)
    if report.blind:
        said.append(
            f"It is not known what an earlier import queued ({report.blind}). A message that is in the queue "
            f"twice is sent once, if the second comes within {report.hours:g} h."
        )
    return said


def _dry(report: ImportSummary) -> str:
    return f"{rows_in_words(report.findings.read)} read; {_messages(report.fresh)} would be queued."


def _wet(report: ImportSummary, outcome: RowResult) -> str:
    if outcome.queued == report.fresh:
        return (
            f"{_messages(report.fresh)} {_are(report.fresh)} in the queue now."
            if report.fresh
            else "Nothing was queued."
        )
    untried = report.fresh - outcome.queued - outcome.refused.count - outcome.unanswered.count
    parts = [f"{outcome.queued:,} of {_messages(report.fresh)} {_are(outcome.queued)} in the queue now"]
    if outcome.unknown:
        parts.append(f"{outcome.unknown:,} more may be")
    if untried:
        parts.append(f"{untried:,} were not tried")
    why = "Interrupted: " if outcome.interrupted else ""
    end = f", because the broker went away: {outcome.trouble}" if outcome.trouble else ""
    return why + "; ".join(parts) + end + "."


def _places(report: ImportSummary) -> Iterator[str]:
    for place, words in _WORDS.items():
        if report.already[place]:
            yield words.format(f"{report.already[place]:,}", hours=report.hours)


def refused_rows(found: Listing[Refusal]) -> Iterator[str]:
    """What is wrong with a file's rows, a line for each; only the first of many."""
    return _listed((_refusal(one) for one in found.first), found.count)


def _refusal(one: Refusal) -> str:
    return f"line {one.line}, {one.field}: {one.reason}" if one.field else f"line {one.line}: {one.reason}"


def _listed(lines: Iterator[str], count: int) -> Iterator[str]:
    for _, line in zip(range(_SHOWN), lines, strict=False):
        yield f"  {line}"
    if count > _SHOWN:
        yield f"  and {count - _SHOWN:,} more"


def rows_in_words(count: int) -> str:
    """So many rows, as people say it."""
    return "1 row" if count == 1 else f"{count:,} rows"


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
