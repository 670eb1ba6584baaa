"""What a message is for, and the words by which people opt out and in."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antrian.contacts.book import ContactBook
from antrian.domain.contact import ALL_PURPOSES, Purpose
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.opt_out import (
    CONFIRMATION,
    WISHES,
    OptOutReply,
    Wish,
    answer_key,
    confirmation,
    fold,
    is_barred,
    purpose_of,
    purpose_to_bar,
    read_wish,
)

_FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "STOP")
_AROUND = " \t\n.,!?*_~\"'…-()🙏\u200b\ufeff"

purposes = st.sampled_from([*Purpose, ALL_PURPOSES])


@pytest.mark.parametrize(
    ("written", "priority", "purpose"),
    [
        (None, 1, Purpose.MARKETING),
        (None, 5, Purpose.TRANSACTION),
        (None, 10, Purpose.TRANSACTION),
        ("reminder", 1, Purpose.REMINDER),
        ("transaction", 0, Purpose.TRANSACTION),
        ("marketing", 9, Purpose.MARKETING),
        ("payment", 9, Purpose.TRANSACTION),
        ("payment", 1, Purpose.MARKETING),
        ("all", 5, Purpose.TRANSACTION),
    ],
)
def test_a_message_says_what_it_is_for_or_its_priority_does(
    written: str | None, priority: int, purpose: Purpose
) -> None:
    assert purpose_of(written, priority) is purpose
    assert purpose_to_bar(written, priority) is purpose


def test_a_confirmation_is_kept_from_people_as_if_it_said_nothing() -> None:
    assert purpose_of(CONFIRMATION, 9) == CONFIRMATION
    assert [purpose_to_bar(CONFIRMATION, priority) for priority in (9, 1)] == [Purpose.TRANSACTION, Purpose.MARKETING]


SAID_AT = 1_800_000_000.0
STOP_ALL = WISHES["stop all"]
ANSWER = OptOutReply("+62811", confirmation(STOP_ALL), answer_key("+62811", "stop all", SAID_AT), SAID_AT + 5)


@pytest.mark.parametrize(
    ("answer", "words", "does"),
    [
        (ANSWER, "Stop all!", True),
        (replace(ANSWER, text=confirmation(STOP_ALL, "en")), "stop all", True),
        (replace(ANSWER, text="Promo!"), "stop all", False),
        (replace(ANSWER, key="opt-out:mine"), "stop all", False),
        (replace(ANSWER, key=None), "stop all", False),
        (replace(ANSWER, recipient="+62812"), "stop all", False),
        (replace(ANSWER, queued_at=SAID_AT - 3_600), "stop all", False),
        (replace(ANSWER, queued_at=SAID_AT + 2 * 86_400), "stop all", False),
        (ANSWER, "berhenti semua", False),
        (ANSWER, "please stop", False),
        (ANSWER, "", False),
    ],
)
def test_the_reply_to_an_opt_out_is_known_by_text_and_key(answer: OptOutReply, words: str, does: bool) -> None:  # noqa: FBT001
    assert answer.answers(words, SAID_AT) is does


@given(st.frozensets(purposes), st.sampled_from(Purpose))
def test_a_purpose_is_barred_by_itself_and_by_all(opted_out: frozenset[str], purpose: Purpose) -> None:
    assert is_barred(purpose, opted_out) == bool(opted_out & {purpose, ALL_PURPOSES})


@pytest.mark.parametrize(
    ("text", "opts_out", "purpose"),
    [
        ("STOP", True, "marketing"),
        (" stop. ", True, "marketing"),
        ("*Stóp!* 🙏", True, "marketing"),
        (_FULL_WIDTH, True, "marketing"),
        ("Berhenti", True, "marketing"),
        ("UNSUB", True, "marketing"),
        ("unsubscribe", True, "marketing"),
        ("UNREG", True, "marketing"),
        ("opt  out", True, "marketing"),
        ("Stop\nsemua", True, "all"),
        ("STOPALL", True, "all"),
        ("stop pengingat", True, "reminder"),
        ("MULAI", False, "all"),
        ("start!", False, "all"),
        ("Mulai promo", False, "marketing"),
    ],
)
def test_the_words_are_read_however_they_are_written(text: str, *, opts_out: bool, purpose: str) -> None:
    wish = read_wish(text)
    assert wish is not None
    assert (wish.opts_out, wish.purpose) == (opts_out, purpose)


@pytest.mark.parametrize(
    "text",
    [
        "", "…", "stop it", "please stop", "jangan berhenti", "Bisa stop di depan toko?", "stop 1", "s t o p",
        "cancel", "CANCEL", "batal", "tidak", "ya", "Yes", "end", "quit", "stop by tomorrow",
        "mulai jam berapa?", "semua", "nonstop", "stop " * 30, "x" * 10_000,
    ],
)  # fmt: skip
def test_a_sentence_that_contains_a_word_and_an_answer_to_a_question_are_no_wish(text: str) -> None:
    assert read_wish(text) is None


@given(st.text() | st.tuples(st.text(), st.sampled_from(sorted(WISHES)), st.text()).map("".join))
@example("stop\u0301")
@example(_FULL_WIDTH + "2")
def test_no_text_longer_than_the_word_itself_is_a_wish(text: str) -> None:
    wish = read_wish(text)
    said = [character for character in fold(text) if character.isalnum()]
    if wish is not None:
        assert said == [character for character in wish.word if character.isalnum()]
    # What is a letter or a digit to anybody is not lost by the folding: that would make a word of a sentence.
    assert len(said) >= sum(character.isalnum() for character in text)


@given(
    st.sampled_from(sorted(WISHES)),
    st.text(st.sampled_from(" \t\n.,!?*_~\"'…-()🙏\u200b\ufeff"), max_size=9),
    st.data(),
)
def test_case_and_what_stands_around_a_word_do_not_matter(word: str, around: str, data: st.DataObject) -> None:
    spelt = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in word)
    assert read_wish(f"{around}{spelt}{around}") == WISHES[word]


@given(st.lists(st.sampled_from(sorted(WISHES)), max_size=4))
def test_who_opts_out_and_in_again_is_opted_out_of_nothing(words: list[str]) -> None:
    book, barred = ContactBook(), Purpose.MARKETING
    for at, wish in enumerate((*(WISHES[word] for word in words), WISHES["stop semua"], WISHES["mulai"]), 1):
        name = EventName.CONTACT_OPTED_OUT if wish.opts_out else EventName.CONTACT_OPTED_IN
        details = {"recipient": "+6281234567890", "purpose": wish.purpose, "words": wish.word, "channel": "inbound"}
        book.apply(Event(name, float(at), "", source="the person", details=details))
        if wish.purpose in {barred, ALL_PURPOSES}:
            assert is_barred(barred, book.opted_out("+6281234567890")) == wish.opts_out
    assert book.opted_out("+6281234567890") == frozenset()


def test_there_is_one_confirmation_for_each_wish_and_it_is_no_wish_itself() -> None:
    for wish in WISHES.values():
        texts = {confirmation(wish), confirmation(wish, "en")}
        assert len(texts) == 2
        assert all(read_wish(text) is None for text in texts)
    assert confirmation(Wish(opts_out=True, purpose="all", word="stop all"), "fr").startswith("Baik")
