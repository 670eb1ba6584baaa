"""Which dead letters may have reached their recipient already; pure: one rule for page, API and command line."""

from typing import Protocol

#: Classes of failures after which it is unknown whether the message was sent.
_DOUBTFUL_CLASSES = frozenset({"uncertain"})

#: Codes that say the same by themselves: the consumer stopped in the middle of a send, once or again and again.
_DOUBTFUL_CODES = frozenset({"crash", "poison"})


class GivenUp(Protocol):
    """What the rule needs to know of a dead letter."""

    @property
    def failure_class(self) -> str:
        """Of the last failure."""

    @property
    def code(self) -> str:
        """Of the last failure."""

    @property
    def was_uncertain(self) -> bool:
        """Whether any attempt of this message, not only the last, ended without a known outcome."""


def may_have_arrived(letter: GivenUp) -> bool:
    """Whether the provider had the message at least once, so that sending it again may reach the person twice."""
    return letter.was_uncertain or is_doubtful(letter.failure_class, letter.code)


def is_doubtful(failure_class: str, code: str = "") -> bool:
    """Whether after this failure the message may have been sent."""
    return failure_class in _DOUBTFUL_CLASSES or code in _DOUBTFUL_CODES
