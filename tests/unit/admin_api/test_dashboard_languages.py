"""Nothing on a page is left untranslated."""

import re
from collections import Counter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from admin_api.dashboard import assets, translation, vocabulary

METHODS = [("templates/**.html", "jinja2"), ("static/**.js", "javascript")]
KEYWORDS = {"_": None, "t": None, "tn": (1, 2), "ngettext": (1, 2)}

#: A translated text inside a template string, which the extractor does not look into.
HIDDEN = re.compile(r"\$\{[^`}]*\btn?\(")


def message_ids():
    found = {found[2] for found in extract_from_dir(assets.FOLDER.parent, METHODS, keywords=KEYWORDS)}
    return found | vocabulary.message_ids()


@pytest.mark.parametrize("language", set(translation.LANGUAGES) - {translation.SOURCE})
def test_every_message_id_has_its_translation(language):
    known = {message.id: message for message in translation.catalog(language) if message.id}
    assert {one for one in message_ids() if one not in known or not all(texts(known[one].string))} == set()


@pytest.mark.parametrize("language", set(translation.LANGUAGES) - {translation.SOURCE})
def test_a_text_of_the_pages_is_translated_in_one_file_only(language):
    files = [path for path in (translation.FOLDER / language).glob("*.po") if path.name != translation.SERVER]
    told = Counter(one.id for path in files for one in read_po(path.read_text(encoding="utf-8").splitlines()) if one.id)
    assert [one for one, count in told.items() if count > 1] == []


@pytest.mark.parametrize("language", set(translation.LANGUAGES) - {translation.SOURCE})
def test_a_translation_keeps_the_placeholders_and_is_not_without_use(language):
    ids = message_ids()
    for message in translation.catalog(language):
        if message.id:
            assert message.id in ids
            assert all(placeholders(text) == placeholders(texts(message.id)[-1]) for text in texts(message.string))


def test_no_message_id_hides_from_the_extractor():
    for path in assets.FOLDER.rglob("*.js"):
        assert not HIDDEN.search(path.read_text()), path


@pytest.mark.parametrize(
    ("cookie", "accept_language", "language"),
    [
        (None, "", "en"),
        (None, "id-ID,id;q=0.9,en;q=0.8", "id"),
        (None, "en;q=0.5, id;q=0.9", "id"),
        (None, "fr, de", "en"),
        (None, "id;q=rubbish,,;;", "en"),
        ("id", "en", "id"),
        ("xx", "id", "id"),
    ],
)
def test_the_language_is_the_readers_choice_then_the_browsers(cookie, accept_language, language):
    assert translation.chosen(cookie, accept_language) == language


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("there is no lane 'x' in namespace 'wa'", "tidak ada jalur 'x' di namespace 'wa'"),
        (
            "the message was not accepted: the broker could not store it",
            "pesan tidak diterima: broker tidak dapat menyimpannya",
        ),
        ("something that no catalog knows", "something that no catalog knows"),
    ],
)
def test_what_the_server_says_is_recognised_by_its_template(said, shown):
    assert translation.sentence("id", said) == shown
    assert translation.sentence("en", said) == said


def texts(text):
    return text if isinstance(text, tuple) else (text,)


def placeholders(text):
    return sorted(re.findall(r"%\(\w+\)s", text))
