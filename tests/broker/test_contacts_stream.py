"""An event that concerns contacts is published once, and comes once into each of the streams that need it."""

from antrian.broker.event_log import write_event
from antrian.domain import contact_event
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from waiting import wait_until


def about(name, message_id="m", **details):
    return Event(str(name), 1_000.0, "default", message_id, 0, 1, "test", details)


COLD = {"recipient": "+6281234567890", "sender": "628114040707", "cold": True}
IN_ALL = [
    about(EventName.SENDING, **COLD, slot="2026-12-01"),
    about(EventName.SENT, **COLD),
    about(EventName.FAILED, **COLD, failure_class="cold_refused", cold_held_until=2_000.0),
    about(EventName.BARRIER),
    about(EventName.HELD, reason="cold_cap", until=2_000.0),
    about(EventName.RELEASED, reason="cold_cap"),
    about(EventName.CANCELLED),
    about(EventName.CLEARED),
    about(EventName.EXPIRED),
    about(EventName.OPTED_OUT, purpose="marketing"),
]
IN_NO_CONTACTS = [
    about(EventName.SENDING, **COLD),
    about(EventName.SENT, **COLD | {"cold": False}),
    about(EventName.FAILED, **COLD, failure_class="transient"),
    about(EventName.RETRYING),
]
IN_NO_OUTCOMES = [
    contact_event.known("628114040707", ["+6281234567890"], "import", at=1_000.0, source="test"),
    contact_event.opted(
        "+6281234567890", "all", is_out=True, at=1_000.0, source="test", by="budi", channel="cli", words="STOP"
    ),
    contact_event.opted("+6281234567890", "all", is_out=False, at=1_001.0, source="test", by="budi", channel="cli"),
    contact_event.linked("+6281234567890", {"lid": "55"}, at=1_000.0, source="test"),
    contact_event.cold_released("628114040707", at=1_000.0, source="test"),
]


def read(channel, stream, last):
    """The events of a stream up to the last one."""
    found = []
    with channel.connection.channel() as reader:
        reader.basic_qos(prefetch_count=1_000)
        reader.basic_consume(
            stream,
            lambda _channel, _method, _properties, body: found.append(Event.decode(body)),
            arguments={"x-stream-offset": "first"},
        )
        wait_until(
            lambda: channel.connection.process_data_events(0.05) or last in found, 20, f"{stream} has the last event"
        )
    return found


def test_every_event_comes_once_into_each_stream_that_needs_it(stock, channel):
    everything = [*IN_ALL, *IN_NO_CONTACTS, *IN_NO_OUTCOMES]
    end = about(EventName.EXPIRED, "end")
    wanted = {
        stock.names.journal: [*everything, end],
        stock.names.outcomes: [*IN_ALL, *IN_NO_CONTACTS, end],
        stock.names.contacts: [*IN_ALL, *IN_NO_OUTCOMES, end],
    }
    for event in everything:
        write_event(channel, stock.names, event, must_be_kept=True)
    write_event(channel, stock.names, end, must_be_kept=True)
    for stream, events in wanted.items():
        assert read(channel, stream, end) == events, stream
