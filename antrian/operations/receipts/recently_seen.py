"""What passed lately, by name; no I/O."""

from collections import OrderedDict


class RecentlySeen:
    """The latest things that passed, by name: what is reported again is told apart for as long as a process lives.

    Args:
        most: how many are remembered.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._names: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        """It passed."""
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._names.popitem(last=False)

    def forget(self, name: str) -> None:
        """It may pass anew."""
        self._names.pop(name, None)
