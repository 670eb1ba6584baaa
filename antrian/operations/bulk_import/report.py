"""What there is to tell of an import, also to programs; pure."""

from collections import Counter
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any

from antrian.operations.bulk_import.already_queued import KnownPlace
from antrian.operations.bulk_import.publish import RowResult
from antrian.operations.bulk_import.validate import Findings

#: Exit codes.
FAILED, WRONG = 1, 2


@dataclass(slots=True)
class ImportSummary:
    """All that there is to tell.

    Attributes:
        findings: of the first pass.
        orders: right rows, the repeated ones aside.
        hours: for which a key is remembered.
        already: orders that an earlier import has queued.
        is_dry: whether nothing is to be queued.
        skips: whether wrong rows are left out; else they keep the right ones out, too.
        outcome: of the second pass; None if there was none.
        blind: why it is unknown what an earlier import has queued; empty when it is known.
    """

    findings: Findings
    orders: int
    hours: float
    already: Counter[KnownPlace] = field(default_factory=Counter)
    outcome: RowResult | None = None
    blind: str = ""
    _: KW_ONLY
    is_dry: bool = False
    skips: bool = False

    @property
    def fresh(self) -> int:
        """Orders that no earlier import has queued."""
        return self.orders - self.already.total()

    @property
    def is_refused(self) -> bool:
        """Whether wrong rows keep everything out."""
        return self.findings.wrong > 0 and not self.skips

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.is_refused:
            return WRONG
        is_complete = self.outcome is None or self.outcome.queued == self.fresh
        return FAILED if self.findings.wrong or not is_complete else 0

    def as_json(self) -> dict[str, Any]:
        """For programs. Lists hold at most 1,000; the counts beside them are right."""
        outcome = self.outcome or RowResult()
        failed = [*outcome.refused.first, *outcome.unanswered.first]
        return {
            "dry_run": self.is_dry,
            "read": self.findings.read,
            "new": None if self.is_refused else self.fresh,
            "queued": outcome.queued,
            "already": {place.value: self.already[place] for place in KnownPlace},
            "already_known": not self.blind,
            "repeated": [asdict(one) for one in self.findings.repeated.first],
            "repeated_count": self.findings.repeated.count,
            "invalid": [asdict(one) for one in self.findings.refusals.first],
            "invalid_rows": self.findings.wrong,
            "failed": [asdict(one) for one in failed],
            "failed_count": outcome.refused.count + outcome.unanswered.count,
            "stopped": outcome.trouble or ("interrupted" if outcome.interrupted else None),
        }
