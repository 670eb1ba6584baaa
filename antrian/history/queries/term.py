"""What the words in the one search field may mean; pure.

A term is taken for everything that it can be: `0812…7890` for a number, `invoice-17` for a key and for words of a
text. What is found by any of these meanings is found.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from antrian.history.queries import search_terms
from antrian.history.records import MessageRecord, SearchState


class Kind(StrEnum):
    """In what a message is found."""

    NUMBER = "number"
    ID = "id"
    KEY = "key"
    PROVIDER_ID = "provider_id"
    SOURCE = "source"
    STATE = "state"
    TEXT = "text"


class Fit(StrEnum):
    """How a value must fit."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    END = "end"
    PART = "part"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a term may mean.

    Attributes:
        kind: what is looked at.
        fit: how.
        value: what it must fit; for words an FTS5 query.
    """

    kind: Kind
    fit: Fit
    value: str


#: Characters from which on the beginning of an id or a key is enough: a shorter one says nothing.
_BEGINNING = 4
#: Digits from which on the end, and any part, of a number is enough.
_END, _PART = 4, 6
#: Letters from which on a word may be unfinished.
_UNFINISHED = 3

_NUMBER_LIKE = re.compile(r"[+\d\s().\-/]+", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F-]+")
_HOME = "62"

#: States as people call them, in both languages of the pages; what failed is given up, or was not delivered.
_FAILED = (SearchState.DEAD, SearchState.FAILED)
_STATE_WORDS: Mapping[str, tuple[SearchState, ...]] = {state.value: (state,) for state in SearchState} | {
    "being sent": (SearchState.SENDING,),
    "dead letter": (SearchState.DEAD,),
    "dead letters": (SearchState.DEAD,),
    "failed": _FAILED,
    "not delivered": (SearchState.FAILED,),
    "handed over": (SearchState.HANDED_OVER,),
    "deleted": (SearchState.PURGED,),
    "opted out": (SearchState.OPTED_OUT,),
    "terjadwal": (SearchState.SCHEDULED,),
    "ditahan": (SearchState.HELD,),
    "tertahan": (SearchState.HELD,),
    "berhenti berlangganan": (SearchState.OPTED_OUT,),
    "menunggu": (SearchState.WAITING,),
    "sedang dikirim": (SearchState.SENDING,),
    "terkirim": (SearchState.SENT,),
    "diserahkan": (SearchState.HANDED_OVER,),
    "sampai": (SearchState.DELIVERED,),
    "dibaca": (SearchState.READ,),
    "tidak sampai": (SearchState.FAILED,),
    "gagal": _FAILED,
    "menunggu percobaan lagi": (SearchState.RETRYING,),
    "waits for another attempt": (SearchState.RETRYING,),
    "pesan gagal": (SearchState.DEAD,),
    "kedaluwarsa": (SearchState.EXPIRED,),
    "dibatalkan": (SearchState.CANCELLED,),
    "dikosongkan": (SearchState.CLEARED,),
    "ganda": (SearchState.DUPLICATE,),
    "dihapus": (SearchState.PURGED,),
}


def meanings(term: str, *, covered: bool, sources: Iterable[str] = ()) -> tuple[Meaning, ...]:
    """Everything that a term may mean; nothing for one that can be found nowhere.

    Args:
        term: as it was typed.
        covered: whether the reader sees neither whole numbers nor texts nor keys. Then these are found only by somebody
            who knows the whole of them: a search by parts would tell them letter by letter.
        sources: the publishing services that there are.
    """
    term = " ".join(term.encode(errors="replace").decode().replace("\x00", " ").split())
    if not term:
        return ()
    fit = Fit.BEGINNING if len(term) >= _BEGINNING else Fit.WHOLE
    found = [
        Meaning(Kind.ID, fit, term.lower() if _HEX.fullmatch(term) else term),
        Meaning(Kind.KEY, Fit.WHOLE if covered else fit, term),
        # Some providers put the recipient's number into it.
        Meaning(Kind.PROVIDER_ID, Fit.WHOLE if covered else fit, term),
    ]
    found += _numbers(term, covered=covered)
    found += [Meaning(Kind.SOURCE, Fit.WHOLE, source) for source in sources if _is_source(term, source)]
    word = term.lower().removeprefix("state:").strip()
    found += [Meaning(Kind.STATE, Fit.WHOLE, state.value) for state in _STATE_WORDS.get(word, ())]
    words = None if covered else search_terms.words_query(term, is_finished=_is_finished(term))
    if words:
        found.append(Meaning(Kind.TEXT, Fit.WORDS, words))
    return tuple(found)


def _numbers(term: str, *, covered: bool) -> list[Meaning]:
    if not _NUMBER_LIKE.fullmatch(term):
        return []
    if whole := search_terms.whole_number(term):
        return [Meaning(Kind.NUMBER, Fit.WHOLE, whole)]
    digits = "".join(re.findall(r"\d", term, re.ASCII))
    if covered or len(digits) < _END:
        return []
    if len(digits) >= _PART:
        return [Meaning(Kind.NUMBER, Fit.PART, search_terms.digits(term))]
    found = [Meaning(Kind.NUMBER, Fit.END, digits)]
    if digits.startswith("0"):
        found.append(Meaning(Kind.NUMBER, Fit.BEGINNING, f"+{_HOME}{digits[1:]}"))
    elif term.startswith("+") or digits.startswith(_HOME):
        found.append(Meaning(Kind.NUMBER, Fit.BEGINNING, f"+{digits}"))
    return found


def _is_source(term: str, source: str) -> bool:
    begins = len(term) >= _UNFINISHED and source.lower().startswith(term.lower())
    return begins or source.lower() == term.lower()


def _is_finished(term: str) -> bool:
    """Whether the last word must be taken as it is: hardly begun, it would fit half of all texts."""
    words = search_terms.words(term)
    return bool(words) and len(words[-1]) < _UNFINISHED


def matched_by(record: MessageRecord, found: Iterable[Meaning]) -> list[Kind]:
    """By which of these meanings a message was found; the text is left when it was no other."""
    values = {
        Kind.NUMBER: record.phone_number,
        Kind.ID: record.message_id,
        Kind.KEY: record.idempotency_key or "",
        Kind.PROVIDER_ID: record.provider_id or "",
        Kind.SOURCE: record.source,
        Kind.STATE: record.state.value,
    }
    kinds = [one.kind for one in found if one.fit is not Fit.WORDS and _fits(values[one.kind], one)]
    if record.delivery is not None:
        kinds += [one.kind for one in found if one.kind is Kind.STATE and one.value == record.delivery.value]
    if not kinds and any(one.kind is Kind.TEXT for one in found):
        kinds = [Kind.TEXT]
    return list(dict.fromkeys(kinds))


def _fits(value: str, wanted: Meaning) -> bool:
    if wanted.fit is Fit.WHOLE:
        return value == wanted.value
    if wanted.fit is Fit.BEGINNING:
        return value.startswith(wanted.value)
    return value.endswith(wanted.value) if wanted.fit is Fit.END else wanted.value in value
