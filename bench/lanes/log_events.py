"""Following a consumer's log without reading it from the beginning each time."""

import json
from datetime import datetime
from pathlib import Path


class LaneLog:
    """What a consumer says of its lanes.

    Args:
        path: its log, one JSON object a line.

    Attributes:
        ready: when each lane was ready, or first sent; unix seconds by lane.
        sent: lanes that have sent since `forget`.
    """

    def __init__(self, path: Path) -> None:
        self.ready: dict[str, float] = {}
        self.sent: set[str] = set()
        self._path = path
        self._place = 0

    def read(self) -> None:
        """Take in what was written since the last time; only whole lines."""
        with self._path.open("rb") as log:
            log.seek(self._place)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._place += len(whole)
        for line in whole.splitlines():
            # Most lines tell of something else; reading them all would cost what is being measured.
            if b"lane.ready" in line or b"message.sent" in line:
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            event, lane, at = entry["event"], entry["lane"], datetime.fromisoformat(entry["timestamp"]).timestamp()
        except (ValueError, KeyError, TypeError):
            return
        self.ready.setdefault(lane, at)
        if event == "message.sent":
            self.sent.add(lane)
