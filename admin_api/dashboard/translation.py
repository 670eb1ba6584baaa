"""The languages of the pages: gettext catalogs, read as they are when the process starts."""

import io
import json
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).parent / "locale"

#: What the message ids are written in; it needs no catalog.
SOURCE: Final = "en"
#: Every language, as it calls itself.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "id": "Bahasa Indonesia"}

#: Pieces of an Accept-Language header that are looked at; a longer one is a prank.
_MOST_WISHES = 20


@cache
def catalog(language: str) -> Catalog:
    """The catalog of a language, made from all its files; empty for the source language."""
    whole = Catalog(locale=language)
    for path in sorted((FOLDER / language).glob("*.po")):
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
    """A script that hands the translations to the pages' own scripts.

    `antrianStrings` is {message id: translation, or [one, many …] where the id has a plural}.
    """
    strings = {
        message.id[0] if isinstance(message.id, tuple) else message.id: message.string
        for message in catalog(language)
        if message.id
    }
    return f"globalThis.antrianStrings = {json.dumps(strings, ensure_ascii=False)};\n"


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
