"""An event is written in one way: nothing else knows the exchange's properties."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Still writes its events itself, over an event loop that has no blocking channel.
NOT_YET = {"consumer/recorder.py", "consumer/lanes_command.py", "consumer/outcomes/writer.py"}


def test_events_are_published_by_the_event_log_alone() -> None:
    packages = ("antrian", "publisher", "consumer", "admin_api")
    modules = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    writers = {str(path.relative_to(ROOT)) for path in modules if "EVENT_PROPERTIES" in path.read_text("utf-8")}
    assert writers - NOT_YET == {"antrian/domain/events.py", "antrian/broker/event_log.py"}
