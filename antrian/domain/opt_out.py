"""Opt-outs: for what a message is sent, whether its recipient wants that, and the words by which people say so."""

from collections.abc import Collection
from dataclasses import dataclass

from antrian.domain.contact import Purpose


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says by one of the words.

    Attributes:
        opts_out: whether they want no more messages; else they want them again.
        purpose: of which kind: a `Purpose`, or `all`.
        word: which word it was, folded.
    """

    opts_out: bool
    purpose: str
    word: str


def purpose_of(written: str | None, priority: int) -> Purpose:
    """For what a message is sent.

    Args:
        written: `MessageBody.purpose`; a word that is no `Purpose` says nothing.
        priority: the broker's number; without a purpose, low ones are marketing and others a transaction.
    """
    raise NotImplementedError


def is_barred(purpose: str, opted_out: Collection[str]) -> bool:
    """Whether a message of a purpose must not go to a person who opted out of these."""
    raise NotImplementedError


def read_wish(text: str) -> Wish | None:
    """What a person wants who wrote this; None unless the whole message is one of the words, however it is written."""
    raise NotImplementedError


def confirmation(wish: Wish, language: str = "id") -> str:
    """What the person is answered, once; `language` is `id` or `en`, and others get Indonesian."""
    raise NotImplementedError
