"""How far behind the history is while a thousand events come in every second."""

import math
import os
import subprocess
import sys
import time

import pytest
from queue_fixture import Stock

from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import History, history_path
from waiting import wait_until

RATE, SECONDS = 1_000, 8

#: A machine with other things to do may hold us up in one of them; a history that is too slow is late in all.
TRIES = 3

_TELL = """
import sys, time
from antrian.broker.connection import open_channel
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.settings import load_settings
from antrian.broker.topology import Names
settings, rate, seconds = load_settings(), int(sys.argv[1]), int(sys.argv[2])
names = Names(settings.whatsapp_queue_namespace)
with open_channel(settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
    began_at = time.monotonic()
    for number in range(rate * seconds):
        if (left := began_at + number / rate - time.monotonic()) > 0:
            channel.connection.sleep(left)
        event = Event("outcome.sent", time.time(), "default", f"m{number}", attempt=1, source="test")
        fast.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
"""


@pytest.mark.alone
def test_at_a_thousand_events_a_second_it_is_never_a_second_behind(stock: Stock) -> None:
    settings = stock.settings
    history = History(history_path(settings))
    follower = HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
    follower.start()
    try:
        wait_until(lambda: follower.barrier(1), 20, "the history follows")
        late: list[float] = []
        while not late or (min(late) >= 1 and len(late) < TRIES):
            late.append(most_behind(stock, history))
        assert min(late) < 1
    finally:
        follower.stop(60)
        history.close()


def most_behind(stock: Stock, history: History) -> float:
    """Seconds that the history is behind at most, of very many looks, while somebody tells."""
    environment = os.environ | {
        "AMQP_URL": stock.settings.amqp_urls[0],
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
    }
    before = history.position().entries
    whole = before + RATE * SECONDS
    behind: list[float] = []

    def is_told() -> bool:
        position = history.position()
        if position.at is not None and before < position.entries < whole:
            behind.append(time.time() - position.at)
        return position.entries >= whole

    with subprocess.Popen([sys.executable, "-c", _TELL, str(RATE), str(SECONDS)], env=environment) as teller:
        try:
            wait_until(is_told, SECONDS * 2, "all is in the history", every=0.01)
        finally:
            teller.terminate()
    return max(behind) if len(behind) > SECONDS * 10 else math.inf
