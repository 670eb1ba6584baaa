"""Follows `lanes.toml`: the admin side sends nothing, so it may show what the file says as soon as it says it."""

import threading
from collections.abc import Callable

import structlog

from antrian.domain.errors import SettingsError
from antrian.domain.settings import Settings

#: Seconds between two looks at the file.
PERIOD = 2.0

_log = structlog.get_logger()


class LanesFollower:
    """Looks at the file again and again; without a file it has nothing to do.

    Args:
        settings: that the process runs with.
        on_change: given the settings with other lanes, in the follower's thread. A wrong file changes nothing.
    """

    def __init__(self, settings: Settings, on_change: Callable[[Settings], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._fault = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="antrian-lanes", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        if self._settings.whatsapp_queue_lanes_file is not None:
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def look(self) -> None:
        """Read the file, and pass on what is new in it."""
        try:
            settings = self._settings.with_lanes_read_again()
        except SettingsError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                _log.warning("lanes.wrong", reasons=self._fault.splitlines())
            return
        self._fault = ""
        if dict(settings.lanes) == dict(self._settings.lanes) and settings.lanes.digest == self._settings.lanes.digest:
            return
        self._settings = settings
        _log.info("lanes.read", lanes=list(settings.lanes), digest=settings.lanes.digest)
        self._on_change(settings)

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self.look()
            except Exception:  # noqa: BLE001 (the next look may do better, and a follower that ends does so silently)
                _log.exception("lanes.broken")
