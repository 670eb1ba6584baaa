"""What rests on the broker's own behaviour, on RabbitMQ 4.3 in a container instead of the broker of this machine.

Not here: tests of the private node, which is this machine's broker in any case, and tests of what we make of messages
and events once the broker has given them to us.
"""

import os
import re
import subprocess
import sys

import pytest
from engine import ROOT

pytestmark = pytest.mark.timeout(2_400)

#: Declaring, routing, confirming and returning; getting, requeueing and dead-lettering; streams; rights.
_FILES = (
    "test_broken_connection.py",
    "test_bulk_publish.py",
    "test_clear.py",
    "test_contacts_stream.py",
    "test_dead_letters.py",
    "test_doctor.py",
    "test_drift.py",
    "test_held_release.py",
    "test_history_follower.py",
    "test_journal_end.py",
    "test_journal_feed.py",
    "test_lane_reader.py",
    "test_partial_clear.py",
    "test_publisher.py",
    "test_queue_replacement.py",
    "test_queue_scan.py",
    "test_resumption.py",
    "test_stream_reader.py",
    "test_topology_live.py",
    "test_undo.py",
    "test_urgent_bell.py",
)

_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")


def pytest_says(*arguments: str, **environment: str) -> str:
    files = [f"tests/broker/{name}" for name in _FILES]
    command = (sys.executable, "-m", "pytest", *files, "-m", "not own_node", "-p", "no:cacheprovider")
    # It is a run of its own, whatever this test is a part of.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=2_300,
        check=False,
    )
    return run.stdout[-20_000:] + run.stderr[-2_000:]


def test_the_broker_suite_passes_on_rabbitmq_4_3() -> None:
    collected = pytest_says("--collect-only", "-q")
    expected = max(int(number) for number in re.findall(r"(\d+)(?:/\d+)? tests", collected))
    said = pytest_says("-q", "-n", "3", "--dist", "worksteal", ANTRIAN_TEST_BROKER="testcontainers")
    counts = {word: int(number) for number, word in _COUNT.findall(said.splitlines()[-1])}
    assert counts.keys() <= {"passed", "xpassed", "xfailed"}, said
    assert sum(counts.values()) == expected > 100, said
