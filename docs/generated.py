"""What the generators have in common: where templates lie, what a table looks like, and what must be complete."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

DOCS = Path(__file__).resolve().parent
TEMPLATES = DOCS / "templates"
EXAMPLES = DOCS / "examples"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def documented(what: str, in_the_code: AbstractSet[str], in_the_docs: AbstractSet[str]) -> None:
    """Compare what the code has with what the documentation explains.

    Raises:
        LookupError: names what is missing on either side.
    """
    problems = []
    if unexplained := sorted(in_the_code - in_the_docs):
        problems.append(f"{what} without a meaning in docs/: {', '.join(unexplained)}")
    if stale := sorted(in_the_docs - in_the_code):
        problems.append(f"{what} explained in docs/ that the code no longer has: {', '.join(stale)}")
    if problems:
        raise LookupError("; ".join(problems))
