from antrian.history.journal.watermark import Watermark
from antrian.history.records import Position


def at(offset: int, fingerprint: str = "same", journal: int = 0) -> Position:
    return Position(journal, offset, None, None, offset + 1, (), fingerprint)


def test_a_history_that_is_behind_must_come_as_far() -> None:
    mark = Watermark(9, "nine", before=at(4))
    assert not mark.is_reached(at(8))
    assert mark.is_reached(at(9))
    assert mark.is_reached(at(12))


def test_one_that_was_there_is_there() -> None:
    mark = Watermark(9, "nine", before=at(9, "nine"))
    assert mark.is_reached(at(9, "nine"))


def test_an_empty_journal_is_reached_by_whoever_has_read_nothing() -> None:
    assert Watermark(-1, "", before=at(-1, "")).is_reached(at(-1, ""))


def test_one_that_has_read_more_than_there_is_must_begin_anew() -> None:
    """The journal was deleted and made again."""
    mark = Watermark(1, "one", before=at(49))
    assert not mark.is_reached(at(49))
    assert not mark.is_reached(at(-1, "", journal=1))
    assert not mark.is_reached(at(0, journal=1))
    assert mark.is_reached(at(1, journal=1))


def test_another_entry_at_the_same_place_is_of_another_journal() -> None:
    mark = Watermark(9, "another", before=at(9, "nine"))
    assert not mark.is_reached(at(9, "nine"))
    assert mark.is_reached(at(9, "another", journal=1))
