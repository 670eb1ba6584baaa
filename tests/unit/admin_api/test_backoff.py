import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.broker.io_thread import LONGEST_BACKOFF, SHORTEST_BACKOFF, backoff


@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8), (5, 1.6), (6, 3.0), (7, 3.0), (10**9, 3.0)]
)
def test_the_wait_before_a_reconnect_doubles_up_to_three_seconds(failures: int, longest: float) -> None:
    assert backoff(failures, lambda _low, high: high) == pytest.approx(longest)
    assert backoff(failures, lambda low, _high: low) == pytest.approx(longest / 2)


@given(st.integers(1, 10**6))
def test_the_wait_is_never_long_and_never_nothing(failures: int) -> None:
    assert SHORTEST_BACKOFF / 2 <= backoff(failures) <= LONGEST_BACKOFF


def test_many_clients_do_not_come_back_at_the_same_moment() -> None:
    assert len({backoff(6) for _ in range(100)}) > 90
