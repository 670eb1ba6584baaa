import pytest
from desk_records import entry

from antrian.operations.dead_letters.recovery import Fate, fate

BURIED = entry("message.buried", generation=1)
REDRIVEN = entry("outcome.redriven", generation=1)
EDITED = entry("outcome.redriven", generation=1, copy="m2")
PURGED = entry("outcome.purged", generation=1)
COPIED = entry("message.queued", generation=2)


@pytest.mark.parametrize(
    ("life", "is_copy_known", "expected"),
    [
        ([], False, Fate.STAY),
        ([BURIED], False, Fate.STAY),
        ([BURIED, REDRIVEN], False, Fate.STAY),
        ([BURIED, REDRIVEN, COPIED], False, Fate.GO),
        ([BURIED, EDITED], False, Fate.STAY),
        ([BURIED, EDITED], True, Fate.GO),
        ([BURIED, PURGED], False, Fate.RETURN),
        ([BURIED, PURGED, BURIED], False, Fate.STAY),
        ([BURIED, entry("outcome.purged", generation=3)], False, Fate.STAY),
    ],
)
def test_a_letter_that_a_crash_left_behind_gets_what_is_missing(life, is_copy_known, expected):
    assert fate(life, 1, is_copy_known=is_copy_known) is expected
