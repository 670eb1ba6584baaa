"""The languages of the pages: gettext catalogs, read as they are when the process starts."""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from admin_api.dashboard.vocabulary import vocabulary

FOLDER: Final = Path(__file__).parent / "locale"

#: The file of a language with what the server says.
SERVER: Final = "server.po"

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")

#: What stands between the sentences of one answer, and the name of a field in front of one.
_BETWEEN: Final = "; "
#: Characters of the longest text that is looked up; each placeholder's may be looked up again.
_LONGEST: Final = 1_500
_ABOUT_A_FIELD: Final = re.compile(r"(?P<field>[\w.-]+:? )(?P<problem>.+)", re.DOTALL)

#: What the message ids are written in; it needs no catalog.
SOURCE: Final = "en"
#: Every language, as it calls itself.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "id": "Bahasa Indonesia"}

#: Pieces of an Accept-Language header that are looked at; a longer one is a prank.
_MOST_WISHES = 20


@cache
def catalog(language: str) -> Catalog:
    """The catalog of the pages' own texts, made from all its files; empty for the source language."""
    return _read(language, [path for path in (FOLDER / language).glob("*.po") if path.name != SERVER])


@cache
def server_catalog(language: str) -> Catalog:
    """The catalog of what the server says in its answers: errors, reasons, findings; empty for the source language.

    Its ids are whole sentences with placeholders, `there is no lane %(lane)s`. The API itself speaks English to
    everyone; pages recognise its sentences by these and show them in the reader's language.
    """
    return _read(language, (FOLDER / language).glob(SERVER))


def _read(language: str, paths: Iterable[Path]) -> Catalog:
    whole = Catalog(locale=language)
    for path in sorted(paths):
        with path.open("rb") as file:
            for message in read_po(file, locale=language, abort_invalid=True):
                if message.id:
                    whole[message.id] = message
    return whole


@cache
def translations(language: str) -> NullTranslations:
    """The translations for gettext, compiled in memory."""
    if language == SOURCE:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalog(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def script(language: str) -> str:
    """A script that hands the translations, and the words for events and states, to the pages' own scripts.

    `antrianVocabulary` is as in `vocabulary`; `antrianStrings` is {message id: translation, or [one, many …] where the
    id has a plural}; `antrianSentences` is the same for what the server says.
    """
    strings, sentences = _by_id(catalog(language)), _by_id(server_catalog(language))
    return (
        f"globalThis.antrianVocabulary = {json.dumps(vocabulary(), ensure_ascii=False)};\n"
        f"globalThis.antrianStrings = {json.dumps(strings, ensure_ascii=False)};\n"
        f"globalThis.antrianSentences = {json.dumps(sentences, ensure_ascii=False)};\n"
    )


@cache
def version(language: str) -> str:
    """A short name for the content of the script, for browsers that keep it."""
    return hashlib.sha256(script(language).encode()).hexdigest()[:12]


def sentence(language: str, said: str) -> str:
    """What the server says, in a language; as it is where the catalog does not know it.

    It may be one sentence, several with "; " between them, or one about a field, such as "lane must be text".
    `static/i18n.js` does the same.
    """
    if len(said) > _LONGEST:
        return said
    known = _whole(language, said)
    if known is not None:
        return known
    pieces = said.split(_BETWEEN)
    if len(pieces) > 1:
        return _BETWEEN.join(sentence(language, piece) for piece in pieces)
    about = _ABOUT_A_FIELD.fullmatch(said)
    problem = about and _whole(language, about["problem"])
    return f"{about['field']}{problem}" if about and problem else said


def _whole(language: str, said: str) -> str | None:
    for template, translation in _templates(language):
        values = _values(template, said)
        if values is not None:
            # What stands for a placeholder may be a sentence of the server's, too.
            return translation % {name: sentence(language, part) for name, part in values.items()}
    return None


@cache
def _templates(language: str) -> list[tuple[list[str], str]]:
    # Split by a pattern with a group, the names stand between the texts.
    return [
        (_PLACEHOLDER.split(template), str(translation))
        for template, translation in _by_id(server_catalog(language)).items()
    ]


def _values(template: Sequence[str], said: str) -> dict[str, str] | None:
    """What stands for each placeholder of a template, any text but none; None if this is another sentence.

    Not by a regular expression: with several placeholders its time would grow with a power of the length, and some
    sentences quote what others wrote. `static/i18n.js` does the same.
    """
    texts, names = template[::2], template[1::2]
    if not names:
        return {} if said == texts[0] else None
    at, end = len(texts[0]), len(said) - len(texts[-1])
    if not (said.startswith(texts[0]) and said.endswith(texts[-1])):
        return None
    values = []
    for text in texts[1:-1]:
        found = said.find(text, at + 1)
        if found < 0:
            return None
        values.append(said[at:found])
        at = found + len(text)
    return dict(zip(names, [*values, said[at:end]], strict=True)) if at < end else None


def _by_id(known: Catalog) -> dict[str, object]:
    """Translations by message id; the most specific sentence, the one with most text of its own, comes first."""
    strings: dict[str, object] = {
        str(message.id[0] if isinstance(message.id, tuple) else message.id): message.string
        for message in known
        if message.id
    }
    return dict(sorted(strings.items(), key=lambda pair: -len(_PLACEHOLDER.sub("", pair[0]))))


def chosen(cookie: str | None, accept_language: str) -> str:
    """The language for a reader.

    Args:
        cookie: what he chose, if he did.
        accept_language: what his browser says, as in HTTP.
    """
    if cookie is not None and cookie in LANGUAGES:
        return cookie
    return negotiate_locale(_wishes(accept_language), list(LANGUAGES), sep="-") or SOURCE


def _wishes(accept_language: str) -> list[str]:
    """Languages in the order of preference."""
    weighted = (_wish(piece) for piece in accept_language.split(",")[:_MOST_WISHES])
    return [name for weight, name in sorted(weighted, key=lambda wish: -wish[0]) if weight > 0 and name]


def _wish(piece: str) -> tuple[float, str]:
    """The weight and the name in `en-GB;q=0.8`."""
    name, _, weight = piece.partition(";q=")
    try:
        return (float(weight) if weight else 1.0, name.strip())
    except ValueError:
        return (0.0, "")
