from admin_api.comparison import Comparison, CountDifference

NOW = 1_800_000_000.0
MORE, NONE = CountDifference(1, 0), CountDifference(0, 0)


def test_a_difference_is_as_old_as_it_has_been_the_same():
    comparison = Comparison()
    looks = [(MORE, 0), (MORE, 1), (CountDifference(2, 0), 2), (CountDifference(2, 0), 3), (NONE, 4), (MORE, 5)]
    told = [comparison.look("default", difference, NOW + at) for difference, at in looks]
    assert told == [NOW, NOW, NOW + 2, NOW + 2, None, NOW + 5]


def test_nobody_knows_whether_it_lasted_while_nobody_looked():
    comparison = Comparison()
    assert [comparison.look("default", MORE, NOW + at) for at in (0, 60)] == [NOW, NOW + 60]


def test_each_lane_has_its_own():
    comparison = Comparison()
    assert [comparison.look(lane, MORE, NOW + at) for lane, at in (("a", 0), ("b", 1), ("a", 2))] == [NOW, NOW + 1, NOW]


def test_a_count_is_remembered_for_a_moment():
    comparison = Comparison()
    comparison.tell_failed(3, NOW)
    assert [comparison.told_failed(NOW + later) for later in (0, 1, 10, -3600)] == [3, 3, None, None]
