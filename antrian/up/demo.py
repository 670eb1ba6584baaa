"""Plays the registration scenario against the running system, and shows what becomes of it."""

import time
from collections.abc import Callable
from dataclasses import replace

import requests
from pika.exceptions import AMQPError
from rich.console import Console

from antrian.broker.connection import open_channel
from antrian.broker.stream.feed import StreamFeed
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lifecycle import ATTEMPT_ENDS
from antrian.domain.settings import Settings
from antrian.up.demo_view import DemoView, summary
from antrian.up.scenario import REGISTERED_AT, Registration, follow, is_followed, is_over, registrations
from publisher import Publisher, PublisherError

_TICK = 0.1

#: Seconds after the last message's end in which its receipts are waited for.
_RECEIPTS_PATIENCE = 15.0

LookAfter = Callable[[Callable[[str], None]], None]


class Demo:
    """Five registrations, from publish to arrival.

    Args:
        settings: with the running broker's AMQP_URL.
        sandbox_url: the provider that is asked what arrived.
        console: where to show it.
        look_after: called again and again, with a function that takes news: keeps the processes running.
    """

    def __init__(self, settings: Settings, sandbox_url: str, console: Console, look_after: LookAfter) -> None:
        self._settings = settings
        self._lane = settings.lanes.first
        self._sandbox_url = sandbox_url
        self._view = DemoView(console)
        self._look_after = look_after
        self._rows: list[Registration] = registrations()
        self._last_end = 0.0

    def run(self) -> None:
        """Play it to its end."""
        with self._view, Publisher(self._settings, source="registration") as publisher:
            since = time.time()
            while not self._is_over():
                try:
                    self._play(publisher, since)
                except (BrokerError, AMQPError) as error:
                    self._view.tell(f"the broker is away ({error}); waiting for it")
                    time.sleep(1)
            self._view.show(self._rows, "That was all.")
        self._view.conclude(f"{summary(self._rows, self._lane.delay)} Ctrl-C stops everything.")

    def _play(self, publisher: Publisher, since: float) -> None:
        names = Names(self._settings.whatsapp_queue_namespace)
        with open_channel(self._settings.amqp_urls, name="antrian demo") as channel:
            feed = StreamFeed(channel, names.outcomes, "10m")
            while not self._is_over():
                for entry in feed.take(_TICK):
                    self._take(Event.of_delivery(entry.body, entry.routing_key))
                self._register(publisher, time.time() - since)
                self._look_after(self._view.tell)
                self._view.show(self._rows, self._countdown())

    def _is_over(self) -> bool:
        if not is_over(self._rows):
            return False
        is_late = time.time() > self._last_end + _RECEIPTS_PATIENCE
        return is_late or not self._lane.webhook_secrets or is_followed(self._rows)

    def _take(self, event: Event | None) -> None:
        if event is None:
            return
        self._rows = follow(self._rows, event)
        if event.name in ATTEMPT_ENDS:
            self._last_end = max(self._last_end, event.at)
        if event.name == EventName.SENT and any(row.message_id == event.message_id for row in self._rows):
            self._note_arrivals()

    def _register(self, publisher: Publisher, elapsed: float) -> None:
        for place, (row, at) in enumerate(zip(self._rows, REGISTERED_AT, strict=True)):
            if row.message_id or elapsed < at:
                continue
            try:
                receipt = publisher.queue_message(row.phone_number, row.text, priority="high", lane=self._lane.name)
            except PublisherError as error:
                self._view.tell(f"{row.name} must wait: {error}")
                return
            self._rows[place] = replace(row, message_id=receipt.message_id, state="queued")

    def _note_arrivals(self) -> None:
        try:
            arrivals = requests.get(f"{self._sandbox_url}/_sandbox/requests", timeout=10).json()
        except requests.RequestException:
            return
        first = {arrival["message"]: arrival["at"] for arrival in reversed(arrivals)}
        self._rows = [replace(row, arrived_at=first.get(row.text)) if row.message_id else row for row in self._rows]

    def _countdown(self) -> str:
        waiting = sum(row.state == "queued" for row in self._rows)
        if not waiting:
            return "All sent; waiting for their receipts." if is_over(self._rows) else ""
        left = self._last_end + self._lane.delay - time.time()
        return f"{waiting} waiting · next send " + (f"in {left:.1f} s" if left > 0 else "now")
