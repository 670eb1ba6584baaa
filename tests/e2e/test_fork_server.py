"""The tests' own fork server: what all processes of a worker depend on outlives each of them."""

import os
from concurrent.futures import ThreadPoolExecutor

from antrian_process import AntrianProcess

_PROCESSES = 500


def test_processes_that_end_at_the_same_moment_are_all_told_apart():
    def exit_code(number: int) -> int:
        program = f"import os; os._exit({number % 100})"
        return AntrianProcess(["-c", program], env={"PATH": os.environ["PATH"]}).wait(120)

    with ThreadPoolExecutor(16) as threads:
        codes = list(threads.map(exit_code, range(_PROCESSES)))

    assert codes == [number % 100 for number in range(_PROCESSES)]
