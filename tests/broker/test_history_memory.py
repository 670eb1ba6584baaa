"""The memory that reading the journal takes, whatever its length."""

import os
import subprocess
import sys

import pytest
from queue_fixture import Stock

_READ = """
import resource, sys, time
from antrian.history.follower import HistoryFollower
from antrian.history.rebuild import catch_up
from antrian.history.queries.history import History, history_path
from antrian.domain.settings import load_settings
settings = load_settings()
follower = HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
history = History(history_path(settings))
follower.start()
assert catch_up(follower, history, patience=60)
assert history.position().entries == int(sys.argv[1]), history.position()
follower.stop()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak(stock: Stock, entries: int, home: str) -> int:
    """KiB of memory at most, of a process that reads the whole journal."""
    environment = os.environ | {
        "AMQP_URL": stock.settings.amqp_urls[0],
        "ANTRIAN_HOME": home,
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
    }
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(entries)], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.timeout(400)
def test_a_journal_four_times_as_long_takes_no_more_memory(stock, tmp_path):
    stock.pour(*(f"m{number}" for number in range(10_000)), patience=60)
    shorter = _peak(stock, 10_000, str(tmp_path / "shorter"))
    stock.pour(*(f"m{number}" for number in range(10_000, 40_000)), patience=60)
    longer = _peak(stock, 40_000, str(tmp_path / "longer"))
    assert longer < shorter * 1.25
