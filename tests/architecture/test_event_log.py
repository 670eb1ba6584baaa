"""An event is written in one way: nothing else knows the exchange's properties."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_events_are_published_by_the_event_log_alone() -> None:
    packages = ("antrian", "publisher", "consumer", "admin_api")
    modules = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    writers = {str(path.relative_to(ROOT)) for path in modules if "EVENT_PROPERTIES" in path.read_text("utf-8")}
    assert writers == {"antrian/domain/events.py", "antrian/broker/event_log.py"}
