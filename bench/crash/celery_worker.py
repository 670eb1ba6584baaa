"""The application that `celery worker` loads: send by HTTP, no more often than the rate limit, ack afterwards."""

import os

import requests

from bench.celery_client import TASK, celery_app

app = celery_app(os.environ["BENCH_BROKER"], os.environ["BENCH_QUEUE"])
# One task at a time, as a paced sender must: none is taken from the queue before it is needed.
app.conf.worker_prefetch_multiplier = 1


@app.task(name=TASK, acks_late=True, rate_limit=os.environ["BENCH_RATE_LIMIT"])  # type: ignore[untyped-decorator]
def send(phone_number: str, text: str) -> None:
    """Send one message."""
    fields = {"api_key": "bench", "sender": os.environ["BENCH_SENDER"], "number": phone_number, "message": text}
    requests.post(f"{os.environ['BENCH_API']}/send-message", json=fields, timeout=30)
