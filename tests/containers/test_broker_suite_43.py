"""Everything in tests/broker, on RabbitMQ 4.3 in a container instead of the broker of this machine."""

import os
import re
import subprocess
import sys

import pytest
from engine import ROOT

pytestmark = pytest.mark.timeout(2_400)

_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")


def pytest_says(*arguments: str, **environment: str) -> str:
    command = (sys.executable, "-m", "pytest", "tests/broker", "-m", "not containers", "-p", "no:cacheprovider")
    run = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=2_300,
        check=False,
    )
    return run.stdout[-20_000:] + run.stderr[-2_000:]


def test_the_broker_suite_passes_on_rabbitmq_4_3() -> None:
    collected = pytest_says("--collect-only", "-q")
    expected = max(int(number) for number in re.findall(r"(\d+)(?:/\d+)? tests", collected))
    said = pytest_says("-q", "-n", "2", "--dist", "worksteal", ANTRIAN_TEST_BROKER="testcontainers")
    counts = {word: int(number) for number, word in _COUNT.findall(said.splitlines()[-1])}
    assert counts.keys() <= {"passed", "xpassed", "xfailed"}, said
    assert sum(counts.values()) == expected > 100, said
