"""Follows `lanes.toml` and the files of webhook secrets, so that a secret is replaced without a restart."""

import os
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from antrian.domain.errors import SettingsError
from antrian.domain.lane import Lanes
from antrian.domain.settings import Settings, load_settings

#: Seconds between two looks.
PERIOD = 2.0

#: The variable's own file, where variables describe the lanes.
_VARIABLE = "WHATSAPP_WEBHOOK_SECRET_FILE"

_log = structlog.get_logger()
_Stamp = tuple[str, int, int, int]


class LanesWatch:
    """Looks at the files again and again, in a thread.

    Args:
        settings: that the process runs with.
        on_change: given other lanes, in the watch's thread; raises `SettingsError` for lanes that cannot be served, and
            then those before stay.
        reload: reads everything again.
    """

    def __init__(
        self,
        settings: Settings,
        on_change: Callable[[Lanes], None],
        reload: Callable[[], Settings] = load_settings,
    ) -> None:
        self._file = settings.whatsapp_queue_lanes_file
        self._on_change = on_change
        self._reload = reload
        self._stamps = self._look()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="antrian-lanes", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def look(self) -> None:
        """Where a file changed, read all of it, and pass it on."""
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            lanes = self._reload().lanes
            self._on_change(lanes)
        except SettingsError as error:
            _log.warning("lanes.wrong", reasons=str(error).splitlines())
            return
        _log.info("lanes.read", lanes=list(lanes), digest=lanes.digest)

    def _look(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp(path) for path in self._paths())

    def _paths(self) -> Iterator[Path]:
        if variable := os.environ.get(_VARIABLE):
            yield Path(variable)
        if self._file is None:
            return
        yield self._file
        with suppress(OSError, ValueError):
            tables = tomllib.loads(self._file.read_text(encoding="utf-8")).get("lanes")
            for table in tables.values() if isinstance(tables, dict) else ():
                path = table.get("webhook_secrets_file") if isinstance(table, dict) else None
                if isinstance(path, str):
                    yield self._file.parent / path

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self.look()
            except Exception:  # noqa: BLE001 (the next look may do better, and a watch that ends does so silently)
                _log.exception("lanes.broken")


def _stamp(path: Path) -> _Stamp:
    try:
        about = path.stat()
    except (OSError, ValueError):
        return str(path), 0, 0, 0
    return str(path), about.st_mtime_ns, about.st_size, about.st_ino
