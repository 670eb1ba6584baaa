"""One vocabulary of events: `EventName` has every name, the lifecycle table every row, and nothing else spells them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from antrian.domain.event_name import EventName
from antrian.domain.failure_class import FailureClass
from antrian.domain.lifecycle import ENDS, FINAL, LIFECYCLE, STATES, AttemptStep, CopyState, MessageState

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("antrian", "publisher", "consumer", "admin_api")
VOCABULARY = ROOT / "antrian/domain/event_name.py"

#: First words of names; a text put together behind one of these would be a name that no search finds. (Tables of
#: lanes.toml are called `lanes.NAME`.)
FAMILIES = {f"{name.partition('.')[0]}." for name in EventName} - {"lanes."}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path != VOCABULARY:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def names_of_log_lines(tree: ast.Module) -> set[ast.AST]:
    """The first arguments of `_log.info(…)` and the like: structlog calls those events, too."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    return {
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"_log", "log"}
    }


def test_no_event_is_named_by_a_literal() -> None:
    known = set(EventName)
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value!r}"
        for path, tree in modules()
        for logged in [names_of_log_lines(tree)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in known and node not in logged
    ]
    assert found == []


def test_no_event_is_named_by_a_text_that_is_put_together() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in modules()
        for logged in [names_of_log_lines(tree)]
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and node not in logged and begins_a_name(node)
    ]
    assert found == []


def begins_a_name(text: ast.JoinedStr) -> bool:
    """Whether it is a family and a word that is filled in, as in `outcome.{end}`; not a sentence about something."""
    parts = [part.value if isinstance(part, ast.Constant) else "x" for part in text.values]
    return str(parts[0]) in FAMILIES and re.fullmatch(r"[a-z._]+", "".join(map(str, parts))) is not None


def test_every_event_has_its_row_and_every_state_its_own() -> None:
    assert set(LIFECYCLE) == set(EventName)
    assert set(STATES) == set(MessageState)
    assert all(row.word for row in LIFECYCLE.values())


def test_the_columns_do_not_contradict_one_another() -> None:
    for row in LIFECYCLE.values():
        assert not row.end or row.state in FINAL, row
        assert row.attempt is not AttemptStep.BEGINS or row.state is MessageState.SENDING, row
        # Where the history shows a state of its own, the consumer must not know the opposite.
        if row.copy and row.state and not row.brings_copy:
            known = STATES[row.state].copy
            expected = {CopyState.WAITING, CopyState.FAILED, CopyState.HELD} if known is CopyState.WAITING else {known}
            assert row.copy in expected, row


def test_what_publishers_are_told_and_what_counts_is_not_changed_by_accident() -> None:
    assert {"sent", "dead", "expired", "cancelled", "cleared", "duplicate"} <= set(ENDS.values())
    assert [one.value for one in FailureClass if one.is_counted] == ["rejected", "transient", "uncertain"]
    assert [one.value for one in FailureClass if one.holds_lane] == ["throttled", "unavailable"]
