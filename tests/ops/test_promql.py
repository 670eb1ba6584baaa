"""The taking apart of expressions, on which the proof rests that every alert has data."""

import promql
import pytest


@pytest.mark.parametrize(
    ("expression", "sides"),
    [
        ("a > 0", ["a"]),
        ("sum by (lane) (rate(a[5m])) >= bool 1e3", ["sum by (lane) (rate(a[5m]))"]),
        ("a > on (x) group_left () b", ["a", "b"]),
        ("a > 0 unless on (lane) b < 300 + 3 * c unless on (lane) d == 1", ["a", "b", "300 + 3 * c", "d"]),
        ("time() - max by (lane) (a > 0) > 3600 and on (lane) b == 1", ["time() - max by (lane) (a > 0)", "b"]),
        ('(max(up{job="x"}) or absent(up{job="x"}) * 0) == 0', ['max(up{job="x"})', '(up{job="x"}) * 0']),
        ("a unless on (lane) b > 0 or (absent(b) unless on () a)", ["a", "b", "(b)", "a"]),
        ('a{x=~"b > c or d"} < 1', ['a{x=~"b > c or d"}']),
        ("(a) / (b) > 0.05", ["(a) / (b)"]),
        ("lane:or_and:max > 1", ["lane:or_and:max"]),
    ],
)
def test_an_expression_is_cut_where_it_compares_or_combines(expression: str, sides: list[str]) -> None:
    assert promql.signals(expression) == sides
