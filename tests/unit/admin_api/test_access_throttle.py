from admin_api.auth.throttle import (
    FORGIVEN_AFTER,
    FREE_FOR_ALL,
    LONGEST_WAIT,
    MOST_ADDRESSES,
    Throttle,
    neighbourhood,
)


def wrong(throttle, now, address="10.0.0.1", times=1):
    return [throttle.wrong(address, now) for _ in range(times)]


def test_five_wrong_ones_are_free_and_then_the_waits_grow():
    throttle, now = Throttle(), 100.0
    assert wrong(throttle, now, times=5) == [0.0] * 5
    waits = []
    for _ in range(14):
        [wait] = wrong(throttle, now)
        waits.append(wait)
        now += wait
        assert wrong(throttle, now) == [0.0]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT


def test_what_comes_too_early_does_not_make_the_wait_longer():
    throttle = Throttle()
    wrong(throttle, 0.0, times=5)
    assert wrong(throttle, 0.5, times=100) == [0.5] * 100
    assert wrong(throttle, 1.0) == [0.0]


def test_one_address_does_not_slow_down_another():
    throttle = Throttle()
    wrong(throttle, 0.0, times=50)
    assert wrong(throttle, 0.0, address="10.0.0.2") == [0.0]


def test_many_addresses_together_are_slowed_down():
    throttle = Throttle()
    answers = [throttle.wrong(f"10.0.{number}.1", 0.0) for number in range(FREE_FOR_ALL + 1)]
    assert answers[:-1] == [0.0] * FREE_FOR_ALL
    assert answers[-1] > 0


def test_everything_is_forgiven_after_a_while():
    throttle = Throttle()
    wrong(throttle, 0.0, times=5)
    assert wrong(throttle, FORGIVEN_AFTER + 1, times=5) == [0.0] * 5


def test_memory_is_bounded():
    throttle = Throttle()
    for number in range(MOST_ADDRESSES + 100):
        throttle.wrong(f"name-{number}", 1e6 * number)
    assert len(throttle._addresses) == MOST_ADDRESSES


def test_an_ipv6_household_is_one_neighbour():
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("::ffff:10.0.0.1") == "10.0.0.1"
    assert len(neighbourhood("x" * 1000)) == 64
