import pytest
from factories import make_settings
from hypothesis import example, given
from hypothesis import strategies as st
from routing import PaperBroker

from antrian.broker.topology import Names, topology
from antrian.domain.delay_ladder import LADDER_LEVELS, ladder_delay, ladder_key, whole_seconds
from antrian.domain.settings import LONGEST_DELAY

LANES = ("default", "promo", "0", "1", "wa")
NAMES = Names()
BROKER = PaperBroker(
    topology(
        make_settings(WHATSAPP_QUEUE_LANES="default=628111111,promo=628222222,0=628333333,1=628444444,wa=628555555")
    )
)

delays = st.integers(1, LONGEST_DELAY)
lanes = st.sampled_from(LANES)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (-5, 1),
        (0, 1),
        (0.001, 1),
        (1, 1),
        (1.0001, 2),
        (2.999, 3),
        (30, 30),
        (LONGEST_DELAY, LONGEST_DELAY),
        (LONGEST_DELAY + 0.5, LONGEST_DELAY),
        (1e12, LONGEST_DELAY),
    ],
)
def test_a_delay_is_rounded_up_to_whole_seconds_that_the_ladder_has(delay: float, seconds: int) -> None:
    assert whole_seconds(delay) == seconds


def test_a_key_is_the_delay_in_bits_and_the_lane() -> None:
    assert ladder_key(5, "default") == "0." * 21 + "1.0.1.default"
    assert ladder_key(LONGEST_DELAY, "a") == "1." * 24 + "a"


@given(delays, lanes)
def test_a_key_tells_the_delay_that_it_was_made_for(delay: int, lane: str) -> None:
    assert ladder_delay(ladder_key(delay, lane)) == delay


@pytest.mark.parametrize("key", ["", "default", "0.1", "x." * 24 + "default", "1 ." * 24 + "default", "2." * 24 + "a"])
def test_any_other_key_keeps_a_message_for_no_time(key: str) -> None:
    assert ladder_delay(key) == 0


@pytest.mark.parametrize(("delay", "level"), [(0.2, 0), (1, 0), (2, 1), (3, 1), (4, 2), (30, 4), (LONGEST_DELAY, 23)])
def test_the_entrance_is_the_highest_level_that_is_needed(delay: float, level: int) -> None:
    assert NAMES.ladder_entrance(delay) == f"wa.delay.{level:02d}"


@given(delays, lanes)
@example(1, "0")
@example(2, "1")
@example(LONGEST_DELAY, "default")
@example(2**23, "promo")
def test_a_retry_waits_exactly_its_delay_and_ends_in_its_own_lane(delay: int, lane: str) -> None:
    (journey,) = BROKER.journeys(NAMES.ladder_entrance(delay), ladder_key(delay, lane))
    assert journey.waited == delay * 1_000
    rungs = [NAMES.delay(level) for level in reversed(range(LADDER_LEVELS)) if delay >> level & 1]
    assert journey.queues == (*rungs, NAMES.lane(lane))


@given(delays, lanes)
def test_a_scheduled_message_is_journalled_once_and_waits_exactly_its_delay(delay: int, lane: str) -> None:
    journeys = list(BROKER.journeys(NAMES.scheduled, ladder_key(delay, lane)))
    ends = {journey.queues[-1]: journey.waited for journey in journeys}
    assert len(journeys) == 2
    assert ends == {NAMES.journal: 0, NAMES.lane(lane): delay * 1_000}


@given(delays, st.sampled_from(["misspelt", "Default", "default2", "wa-default", "", "2"]))
def test_a_scheduled_message_for_an_unknown_lane_is_returned(delay: int, lane: str) -> None:
    assert BROKER.queues(NAMES.scheduled, ladder_key(delay, lane)) == set()


@given(delays, delays)
def test_a_shorter_delay_is_never_over_later(one: int, other: int) -> None:
    first, second = (next(BROKER.journeys(NAMES.delay(23), ladder_key(delay, "default"))) for delay in (one, other))
    assert (first.waited < second.waited) == (one < other)
