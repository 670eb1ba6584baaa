import pytest
from factories import NOW

from antrian.history.records import DeadGroup
from antrian.operations.dead_letters.retention_alarm import RetentionAlarm, retention_alarm, warned_before

DAY = 86_400.0


@pytest.mark.parametrize(("days", "age"), [(30, 27), (5, 4), (1, 0), (0.5, 0)])
def test_the_warning_comes_when_a_tenth_of_the_retention_is_left_and_at_least_a_day(days, age):
    assert warned_before(days * DAY, NOW) == NOW - age * DAY


def test_the_alarm_counts_what_is_near_its_end_and_tells_when_the_oldest_goes():
    groups = [DeadGroup("a", "b", "", 2, NOW - 28 * DAY, NOW), DeadGroup("a", "c", "", 3, NOW - 29 * DAY, NOW)]
    assert retention_alarm(groups, 30 * DAY, NOW) == RetentionAlarm(5, NOW - 29 * DAY, DAY)


def test_what_should_be_forgotten_by_now_has_no_time_left():
    alarm = retention_alarm([DeadGroup("a", "b", "", 1, NOW - 31 * DAY, NOW)], 30 * DAY, NOW)
    assert alarm.seconds_left == 0


def test_without_letters_there_is_no_alarm():
    assert retention_alarm([], 30 * DAY, NOW) is None
