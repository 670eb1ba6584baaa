"""A program that publishes as a busy day does: 300 threads, two forked and two spawned processes, all at once.

It prints the message ids of all receipts that it got, as JSON; it ends with an error if one publish fails.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from antrian.domain.settings import load_settings
from publisher import Publisher, Receipt

THREADS, EACH_THREAD = 300, 4
EACH_PROCESS = 150
#: Seconds for a confirm, on a machine that has other things to do as well.
PATIENCE = 60.0
PHONE = "081234567890"

#: Made and used before the fork, as a pre-forking web server does it.
publisher: Publisher


def one_by_one(count: int) -> list[str]:
    return [publisher.queue_message(PHONE, f"number {number}").message_id for number in range(count)]


def pipelined(count: int) -> Iterator[str]:
    for answer in publisher.queue_messages((PHONE, f"number {number}") for number in range(count)):
        assert isinstance(answer, Receipt), answer
        yield answer.message_id


def in_a_process(report: Path) -> None:
    half = EACH_PROCESS // 2
    report.write_text(json.dumps([*one_by_one(half), *pipelined(half)]), encoding="utf-8")


def in_a_forked_process(report: Path) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            in_a_process(report)
            status = 0
        finally:
            os._exit(status)
    return child


def in_a_spawned_process(report: Path) -> None:
    global publisher
    with Publisher(load_settings(os.environ), source="spawned", confirm_timeout=PATIENCE) as publisher:
        in_a_process(report)


def main(folder: Path) -> None:
    global publisher
    reports = [folder / f"report-{number}.json" for number in range(4)]
    spawned = [
        multiprocessing.get_context("spawn").Process(target=in_a_spawned_process, args=(report,))
        for report in reports[:2]
    ]
    with (
        Publisher(load_settings(os.environ), source="crowd", confirm_timeout=PATIENCE) as publisher,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        ids = one_by_one(1)
        for process in spawned:
            process.start()
        threads = [pool.submit(one_by_one, EACH_THREAD) for _ in range(THREADS)]
        forked = [in_a_forked_process(report) for report in reports[2:]]
        for thread in threads:
            ids += thread.result()
        assert all(os.waitpid(child, 0)[1] == 0 for child in forked)
        for process in spawned:
            process.join()
            assert process.exitcode == 0
        ids += one_by_one(1)
    for report in reports:
        ids += json.loads(report.read_text(encoding="utf-8"))
    json.dump(ids, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
