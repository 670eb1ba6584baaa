"""What follows from a message of a person: who is known since when, and what they wish."""

from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.lane import Lane
from antrian.domain.receipt import InboundMessage
from antrian.receipts.told import publications_of

LANE = Lane(name="default", provider="meta_cloud", sender="628114040707")
NOW = 1_795_000_000.0


def made(*told: InboundMessage) -> list[tuple[str, float, object]]:
    published = publications_of(told, LANE, Names("wa"), at=NOW, source="test")
    events = [event for one in published if (event := Event.decode(one.body)) is not None]
    return [
        (event.name, event.at, event.details.get("purpose") or event.details.get("recipients"))
        for event in events
        if event.name.startswith("contact")
    ]


def written(number: str, at: float | None, provider_id: str = "w", **more: str) -> InboundMessage:
    return InboundMessage(recipient=number, provider_id=provider_id, at=at, **more)


def test_person_is_known_since_they_wrote_however_late_it_is_told() -> None:
    told = [written("+62811", NOW - 5), written("+62812", None), written("+62813", NOW - 90_000)]

    assert made(*told, written("+62814", NOW + 500)) == [
        ("contact.known", NOW, ["+62811", "+62812", "+62814"]),
        ("contact.known", NOW - 90_000, ["+62813"]),
    ]


def test_preference_without_a_message_is_about_marketing_and_opens_no_window() -> None:
    stop = written("+628114040708", NOW, "", kind="marketing_messages", preference="stop")
    start = written("+628114040708", NOW, "", kind="marketing_messages", preference="start")

    assert made(stop, start) == [
        ("contact.opted_out", NOW, "marketing"),
        ("contact.opted_in", NOW, "marketing"),
    ]


def test_late_start_counts_since_it_was_written_and_late_stop_since_it_was_heard() -> None:
    start = written("+62811", NOW - 600, text="START")
    stop = written("+62811", NOW - 600, text="STOP")
    assert ("contact.opted_in", NOW - 600) in [event[:2] for event in made(start)]
    assert ("contact.opted_out", NOW) in [event[:2] for event in made(stop)]
