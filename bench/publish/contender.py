"""One contender as a process of its own, so that no other's threads, garbage or imports touch its figures.

`python -m bench.publish.contender NAME --url … --namespace … --queue … --count …` connects, warms up, prints `ready`,
waits for a line on its standard input, publishes, and prints `result` and the run as JSON.
"""

import argparse
import importlib
import json
import sys
import time

from bench.publish.contenders import Publish
from bench.publish.run import Run
from bench.publish.sample import Target, samples

READY, RESULT = "ready", "result "

#: Messages before the clock starts: connections open, code is warm.
_WARM_UP = 300


def main() -> None:
    """Be the contender that the command line names."""
    asked = _arguments()
    target = Target(asked.url, asked.namespace, asked.queue, asked.threads)
    module = importlib.import_module(f"bench.publish.contenders.{asked.name}")
    with module.connect(target) as prepare:
        prepare(samples(_WARM_UP))()
        publish = prepare(samples(asked.count))
        print(READY, flush=True)
        sys.stdin.readline()
        run = _measure(publish)
    print(RESULT + json.dumps(run.as_json()), flush=True)


def _measure(publish: Publish) -> Run:
    started_at, cpu = time.monotonic(), time.process_time()
    latencies = publish()
    return Run(started_at, time.monotonic(), time.process_time() - cpu, latencies)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--url", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
