"""What the server says, in the reader's language: the catalog is complete, and nothing in it is unused."""

import re
import time

import pytest
from server_sentences import ROOT, VALUE, sentences

from admin_api.dashboard import translation

#: What stands in the same modules and never reaches a page: names of connections, SQL, HTTP, other programs' words.
NO_SENTENCE = re.compile(
    r"antrian .*|(PRAGMA|CREATE|INSERT) .*|attachment; .*|text/csv; .*|POST /.*|<!doctype .*|# Written by .*"
    r"|Value error, |[^{]*(\\b|\.\*|\|).*|Status, control and repair .*|Sent, as a part of .*"
    r"|(aldinokemal|devlikeapro|tulir)/.*|docs\.fonnte\.com.*"
    r"|(Meta|Twilio), .*|pywa .*|Graph API answers, .*|from memory, .*"
    r"|(phone mobile|text pesan|jadwal|kedaluwarsa|zona) .*|Halo .*",
    re.DOTALL,
)

#: What only a log, a command or a traceback shows, or is a part of a sentence that is here whole.
ELSEWHERE = {
    "the broker did not take all of them: run the same command again",
    "is down or inaccessible",
    "check your connection",
    "url unreachable",
    "too short to be a key",
    "not a letter",
    "history entries read",
    "publish to",
    f"{VALUE}, or all.",
    "a filter is for what waits",
    "an entry has no hash, or a creation time without a time zone",
    "an entry's name or id has characters that it cannot have",
    "two entries have the same name or id",
    "a token's name has up to 40 letters, digits, dots, dashes and underscores",
    f"there is already a token {VALUE}; revoke it first, or choose another name",
    f" and {VALUE} more",
    " and no column ",
    f" (did you mean {VALUE}?)",
    f"{VALUE} '{VALUE}' in vhost",
    f"deliver_at {VALUE}",
    "lanes cannot send:",
    (
        f"lane {VALUE} is given the sender that lane {VALUE} sends with: give it up there first and apply, then give "
        "it here"
    ),
    (
        "WHATSAPP_QUEUE_LANES_FILE is not set, so variables describe the lanes; a change of them needs a restart of "
        "all processes"
    ),
    f"lanes.{VALUE}",
    f"{VALUE} ({VALUE})",
    f"WHATSAPP_PROVIDER: {VALUE}",
}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return {
        sentence: where
        for sentence, where in sentences().items()
        if sentence not in ELSEWHERE and not NO_SENTENCE.fullmatch(sentence)
    }


def test_everything_that_a_page_may_show_is_translated(said):
    missing = [f"{where}: {text}" for text, where in said.items() if translation.sentence("id", text) == text]
    assert missing == [], "add them to admin_api/dashboard/locale/id/server.po"


def test_no_translation_is_left_over(said):
    catalog = translation.server_catalog("id")
    templates = {str(message.id): re.sub(r"%\(\w+\)s", VALUE, str(message.id)) for message in catalog if message.id}
    shapes = {re.sub(f"({VALUE})+", VALUE, text) for text in said}
    assert sorted(template for template, sample in templates.items() if sample not in shapes) == []


@pytest.mark.parametrize(
    ("english", "indonesian"),
    [
        ("this token is wrong, or revoked", "token ini salah, atau sudah dicabut"),
        (
            "message 7 cannot be cancelled: it was already sent",
            "pesan 7 tidak dapat dibatalkan: pesan sudah terkirim",
        ),
        ("lane must be text; message is too long", "lane harus berupa teks; message terlalu panjang"),
        ("must have at most 4096 characters", "paling banyak 4096 karakter"),
        ("must be at most 1000", "paling besar 1000"),
        ("body.rows: is not JSON; and 3 more", "body.rows: bukan JSON; dan 3 lagi"),
        (
            "character 13 is the letter O: a phone number has digits only",
            "karakter ke-13 adalah huruf O: nomor telepon hanya berisi angka",
        ),
        ("Number is blocked by WhatsApp", "Number is blocked by WhatsApp"),
    ],
)
def test_a_sentence_is_found_by_its_template_and_what_is_not_ours_stays(english, indonesian):
    assert translation.sentence("id", english) == indonesian
    assert translation.sentence("en", english) == english


@pytest.mark.parametrize(("module", "table"), [("causes.js", "OURS"), ("import_reasons.js", "REASONS")])
def test_a_page_that_says_a_sentence_in_its_own_way_knows_it_as_it_is(said, module, table):
    script = (ROOT / "admin_api/dashboard/static" / module).read_text()
    body = script[script.index(f"const {table} = {{") :].partition("};")[0]
    keys = [key for _quote, key in re.findall(r"""^  (["'])(.+?)\1: """, body, re.MULTILINE)]
    assert keys
    assert [key for key in keys if key not in said] == []


def test_a_sentence_that_quotes_something_hostile_takes_no_more_time_than_its_length():
    """Several placeholders are a power of the length for a regular expression: once, seconds for a few hundred."""

    def seconds(times: int) -> float:
        hostile = "Lane x was paused by " + "x was paused by x  ago, and x " * times
        began = time.process_time()
        assert translation.sentence("id", hostile) == hostile
        return time.process_time() - began

    seconds(1)
    assert seconds(40) < 12 * seconds(10)


def test_a_sentence_within_itself_many_times_over_does_no_harm():
    assert translation.sentence("id", "Could not check x: " * 5_000 + "y." * 5_000)
    assert translation.sentence("id", "Could not check x: " * 70 + "y" + "." * 70)
