"""Opt-outs: for what a message is sent, whether its recipient wants that, and the words by which people say so. Pure.

A word counts only where it is the whole message: a person who asks "can I stop by tomorrow?" wants no opt-out. Case and
accents do not matter, nor do blanks, punctuation or emoji around it. Words that also answer a question of the sender's
(cancel, tidak, batal, ya, yes) are none of them: docs/decisions/0023 has the reasons and the sources.
"""

import hashlib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from antrian.domain.contact import ALL_PURPOSES, Purpose
from antrian.domain.priority import Priority

#: One of these alone: no more marketing.
STOP_WORDS: Final = ("stop", "berhenti", "unsub", "unsubscribe", "unreg", "optout", "opt out", "opt-out")
#: One of these alone: everything again.
START_WORDS: Final = ("mulai", "start", "unstop", "subscribe", "langganan")

#: What may follow such a word, and then is what it is about.
_OBJECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "promo": Purpose.MARKETING,
        "marketing": Purpose.MARKETING,
        "pengingat": Purpose.REMINDER,
        "reminder": Purpose.REMINDER,
        "reminders": Purpose.REMINDER,
        "semua": ALL_PURPOSES,
        "all": ALL_PURPOSES,
    }
)

#: What the answer to an opt-out is sent for: it goes to a person who wants nothing more, once, to say so.
CONFIRMATION: Final = "confirmation"

#: Seconds after an opt-out within which its answer must have been queued.
_ANSWERED_WITHIN = 86_400.0
#: Seconds that the clocks of two machines may be apart.
_CLOCKS_APART = 300.0

# Accents, and marks that only say how a text is to be shown.
_INVISIBLE = frozenset({"Mn", "Me", "Mc", "Cf"})
#: Longer texts are not looked at.
_LONGEST = 100


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


def _wishes() -> dict[str, Wish]:
    wishes = {word: Wish(opts_out=True, purpose=Purpose.MARKETING, word=word) for word in STOP_WORDS}
    wishes |= {word: Wish(opts_out=False, purpose=ALL_PURPOSES, word=word) for word in START_WORDS}
    for alone in tuple(wishes.values()):
        for what, purpose in _OBJECTS.items():
            phrase = f"{alone.word} {what}"
            wishes[phrase] = Wish(alone.opts_out, purpose, phrase)
    return wishes | {"stopall": Wish(opts_out=True, purpose=ALL_PURPOSES, word="stopall")}


#: What each word means, folded as `fold` does.
WISHES: Final[Mapping[str, Wish]] = MappingProxyType(_wishes())


def purpose_of(written: str | None, priority: int) -> str:
    """For what a message is sent: a `Purpose`, or `CONFIRMATION`.

    Args:
        written: `MessageBody.purpose`; another word says nothing.
        priority: the broker's number; without a purpose, low ones are marketing and others a transaction.
    """
    return CONFIRMATION if written == CONFIRMATION else purpose_to_bar(written, priority)


def purpose_to_bar(written: str | None, priority: int) -> Purpose:
    """As what a message is kept from people who opted out: any publisher may call what it sends a confirmation."""
    if written in _PURPOSES:
        return Purpose(written)
    return Purpose.MARKETING if Priority.label(priority) == "low" else Purpose.TRANSACTION


def is_barred(purpose: str, opted_out: Collection[str]) -> bool:
    """Whether a message of a purpose must not go to a person who opted out of these purposes, or of `all`."""
    return purpose in opted_out or ALL_PURPOSES in opted_out


def read_wish(text: str) -> Wish | None:
    """What a person wants who wrote this; None unless the whole message is one of the words, however it is written."""
    return WISHES.get(fold(text)) if len(text) <= _LONGEST else None


def fold(text: str) -> str:
    """A text without case, accents, full-width forms, and without what is no letter or digit around it."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(character for character in plain if unicodedata.category(character) not in _INVISIBLE)
    kept = [index for index, character in enumerate(letters) if character.isalnum()]
    return " ".join(letters[kept[0] : kept[-1] + 1].split()) if kept else ""


def confirmation(wish: Wish, language: str = "id") -> str:
    """What the person is answered, once; `language` is `id` or `en`, and others get Indonesian."""
    texts = _CONFIRMATIONS.get(language, _CONFIRMATIONS["id"])
    return texts[wish.opts_out, wish.purpose]


def answer_key(recipient: str, word: str, at: float) -> str:
    """The idempotency key of the answer to a wish: one answer a person, word and day.

    Keys are seen in places where numbers are not.

    Args:
        recipient: E.164 with +.
        word: `Wish.word`.
        at: when they wrote it, unix seconds.
    """
    day = datetime.fromtimestamp(at, UTC).date()
    digest = hashlib.blake2b(f"{recipient}\n{word}\n{day}".encode(), digest_size=16).hexdigest()
    return f"opt-out:{digest}"


@dataclass(frozen=True, slots=True)
class OptOutReply:
    """A message that says it is the answer to an opt-out.

    Attributes:
        recipient: E.164 with +.
        text: of the message.
        key: its idempotency key.
        queued_at: when its publisher made it, unix seconds.
    """

    recipient: str
    text: str
    key: str | None
    queued_at: float

    def answers(self, words: str, said_at: float) -> bool:
        """Whether it is the one answer to these words, and can be nothing else.

        Its text is ours, and its key the only one that the words of this day have: so it is sent once.

        Args:
            words: what the person wrote.
            said_at: when, unix seconds.
        """
        wish = read_wish(words)
        if wish is None or not wish.opts_out or not -_CLOCKS_APART <= self.queued_at - said_at <= _ANSWERED_WITHIN:
            return False
        # It may have been written down on either side of midnight.
        keys = {answer_key(self.recipient, wish.word, at) for at in (said_at, self.queued_at)}
        return self.key in keys and self.text in {confirmation(wish, language) for language in _CONFIRMATIONS}


_PURPOSES: Final = tuple(purpose.value for purpose in Purpose)

_CONFIRMATIONS: Final[Mapping[str, Mapping[tuple[bool, str], str]]] = {
    "id": {
        (True, Purpose.MARKETING): "Baik, kami tidak akan mengirim promosi lagi. Pesan tentang transaksi Anda tetap "
        "dikirim; balas STOP SEMUA untuk menghentikan semuanya, atau MULAI untuk menerima lagi.",
        (True, Purpose.REMINDER): "Baik, kami tidak akan mengirim pengingat lagi. Balas MULAI untuk menerima lagi.",
        (True, ALL_PURPOSES): "Baik, kami tidak akan mengirim pesan apa pun lagi. Balas MULAI untuk menerima lagi.",
        (False, Purpose.MARKETING): "Baik, Anda akan menerima promosi lagi. Balas STOP untuk berhenti.",
        (False, Purpose.REMINDER): "Baik, Anda akan menerima pengingat lagi. Balas STOP PENGINGAT untuk berhenti.",
        (False, ALL_PURPOSES): "Baik, Anda akan menerima pesan kami lagi. Balas STOP untuk berhenti.",
    },
    "en": {
        (True, Purpose.MARKETING): "You will get no more promotions from us. Messages about your transactions still "
        "come; reply STOP ALL to stop everything, or START to get them again.",
        (True, Purpose.REMINDER): "You will get no more reminders from us. Reply START to get them again.",
        (True, ALL_PURPOSES): "You will get no more messages from us. Reply START to get them again.",
        (False, Purpose.MARKETING): "You will get our promotions again. Reply STOP to stop them.",
        (False, Purpose.REMINDER): "You will get our reminders again. Reply STOP REMINDER to stop them.",
        (False, ALL_PURPOSES): "You will get our messages again. Reply STOP to stop them.",
    },
}
