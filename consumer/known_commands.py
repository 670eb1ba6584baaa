"""Which commands this process has carried out: the broker may deliver one twice, to this connection or the next."""

from antrian.domain.control import Control

#: Commands that are remembered; a repetition comes within seconds.
REMEMBERED = 100


class KnownCommands:
    """Remembers the latest commands that have a name; those without one are always new."""

    def __init__(self) -> None:
        self._requests: dict[str, None] = {}

    def knows(self, control: Control) -> bool:
        """Whether the command came before; from now on it is known."""
        if not control.request:
            return False
        is_known = control.request in self._requests
        self._requests[control.request] = None
        if len(self._requests) > REMEMBERED:
            del self._requests[next(iter(self._requests))]
        return is_known
