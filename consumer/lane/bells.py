"""Urgent messages that have announced themselves and have not been delivered yet."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

#: Other messages that may be delivered before a bell is given up, and seconds between two of them. The bell may be
#: faster than its message, above all where a queue is replicated; but a message that was dropped never comes.
MOST_PASSED = 25
PAUSE_BEFORE_NEXT = 0.04

#: Bells looked at when another rings. A whole import of urgent messages may ring at once, so never all of them.
LOOKED_AT = 20


@dataclass(slots=True)
class Bells:
    """The bells that ring.

    Attributes:
        generations: which copy each message announced, by its id.
    """

    generations: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _passed: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any rings."""
        return bool(self.generations)

    def ring(self, message_id: str, generation: int = 0) -> None:
        """An urgent message says that it is in the lane."""
        self.generations[message_id] = max(generation, self.generations.get(message_id, 0))
        self._passed[message_id] = 0

    def answer(self, message_id: str) -> None:
        """The message was delivered."""
        self.generations.pop(message_id, None)
        self._passed.pop(message_id, None)

    def pass_by(self) -> None:
        """Another, less urgent message was delivered: the ones that rang are gone, or not in the queue yet."""
        for message_id in list(self.generations):
            self._passed[message_id] = self._passed.get(message_id, 0) + 1
            if self._passed[message_id] >= MOST_PASSED:
                self.answer(message_id)

    def look_at_a_few(self, is_over: Callable[[str, int], bool]) -> None:
        """Forget of a few, another few each time, those whose copy was attempted, by whichever consumer."""
        for message_id, generation in list(islice(self.generations.items(), LOOKED_AT)):
            if is_over(message_id, generation):
                self.answer(message_id)
            else:
                self.generations.move_to_end(message_id)

    def forget(self, is_over: Callable[[str, int], bool]) -> None:
        """Forget those whose copy was attempted, by whichever consumer."""
        for message_id, generation in list(self.generations.items()):
            if is_over(message_id, generation):
                self.answer(message_id)
