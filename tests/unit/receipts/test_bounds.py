"""What the server remembers of strangers and of repeats has its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.receipts.failures import FailureLimit, client_address, networks
from antrian.receipts.repeats import Repeats

OURS = networks(["10.0.0.0/8", "::1/128"])


def test_an_address_gets_its_calls_back_with_time():
    limit = FailureLimit(burst=2, per_second=0.5)
    assert [limit.take("a", now) for now in (0, 0, 0, 1, 2, 2.5)] == [True, True, False, False, True, False]
    assert limit.take("b", 2)


def test_only_so_many_addresses_are_remembered():
    limit = FailureLimit(burst=1, most_addresses=100)
    for number in range(1_000):
        limit.take(str(number), 0)
    assert len(limit) == 100
    assert not limit.take("999", 0)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.1.2.3", "198.51.100.9", "198.51.100.9"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.9, 10.9.9.9", "198.51.100.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("::ffff:10.1.2.3", "198.51.100.9", "198.51.100.9"),
        ("10.1.2.3", "nonsense", "nonsense"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("", "1.1.1.1", ""),
    ],
)
def test_only_a_proxy_of_ours_says_who_calls(peer, forwarded, expected):
    assert client_address(peer, forwarded, OURS) == expected


@given(st.text(max_size=40), st.text(max_size=100))
def test_whatever_is_written_in_a_header_has_an_address(peer, forwarded):
    assert len(client_address(peer, forwarded, OURS)) <= 64


def test_repeats_are_forgotten_by_time_and_by_number():
    repeats = Repeats(most=3, longest=10)
    one = repeats.name("default", "one")
    repeats.add(one, 0)
    assert repeats.knows(one, 10)
    assert not repeats.knows(one, 10.1)
    assert not repeats.knows(repeats.name("other", "one"), 0)
    for number in range(9):
        repeats.add(repeats.name("default", str(number)), 20)
    assert len(repeats) == 3
    assert not repeats.name("default", "")
    repeats.add(b"", 20)
    assert not repeats.knows(b"", 20)
