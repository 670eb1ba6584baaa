"""The parts of an alert's expression that must have data, so that the alert can fire at all.

An alert compares: while all is well its expression has no value, and neither would it have one with a misspelt metric.
So the expression is taken apart where it compares or combines, and each side must have values.
"""

import re
from collections.abc import Iterator

_SET_OPERATORS = re.compile(r"(?:and|or|unless)\b")
_COMPARISONS = re.compile(r"(?:==|!=|>=|<=|>|<)(?:\s*bool\b)?")
_MATCHING = re.compile(r"(?:(?:on|ignoring|group_left|group_right)\s*\([^)]*\)\s*)+")
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")
#: What says "there is none" has a value only when there is none; what it looks at must be there.
_ABSENT = re.compile(r"\babsent\(")


def signals(expression: str) -> list[str]:
    """The sides of all comparisons and set operations, numbers left out: `a` and `b` of `a > 0 unless on (x) b`."""
    return [_ABSENT.sub("(", part) for part in _parts(expression) if not _NUMBER.fullmatch(part)]


def _parts(expression: str) -> Iterator[str]:
    bare = _without_parentheses(expression.strip())
    for operators in (_SET_OPERATORS, _COMPARISONS):
        sides = _split(bare, operators)
        if len(sides) > 1:
            for side in sides:
                yield from _parts(_MATCHING.sub("", side.strip(), count=1) if _MATCHING.match(side.strip()) else side)
            return
    yield bare


def _split(expression: str, operators: re.Pattern[str]) -> list[str]:
    """Cut at the operators that are in no parentheses, braces, brackets or quotes."""
    sides, begin, depth, position = [], 0, 0, 0
    while position < len(expression):
        letter = expression[position]
        depth += (letter in "([{") - (letter in ")]}")
        if letter == '"':
            position = expression.index('"', position + 1)
        elif depth == 0 and _begins_word(expression, position) and (found := operators.match(expression, position)):
            sides.append(expression[begin:position])
            begin = position = found.end()
            continue
        position += 1
    return [*sides, expression[begin:]]


def _begins_word(expression: str, position: int) -> bool:
    return (
        position == 0
        or not re.match(r"[\w:]", expression[position])
        or not re.match(r"[\w:]", expression[position - 1])
    )


def _without_parentheses(expression: str) -> str:
    while expression.startswith("(") and _closing(expression) == len(expression) - 1:
        expression = expression[1:-1].strip()
    return expression


def _closing(expression: str) -> int:
    depth = 0
    for position, letter in enumerate(expression):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return position
    raise ValueError(f"a parenthesis is left open: {expression}")
