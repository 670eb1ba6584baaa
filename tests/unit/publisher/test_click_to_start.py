"""The link with which a user writes first."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.settings import load_settings
from publisher import InvalidMessage, Publisher, Unroutable

ADDRESS = {"AMQP_URL": "amqp://nowhere.invalid"}


def publisher(**variables: str) -> Publisher:
    return Publisher(load_settings(ADDRESS | {"WHATSAPP_SENDER": "628114040707"} | variables))


def test_link_opens_a_chat_with_the_sender() -> None:
    assert publisher().click_to_start_link("Halo, nomor 17 & 18?") == (
        "https://wa.me/628114040707?text=Halo%2C%20nomor%2017%20%26%2018%3F"
    )


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip() and text.isprintable()))
def test_every_text_arrives_as_it_was_written(text: str) -> None:
    link = urlsplit(publisher().click_to_start_link(text, sender="0811-404-0708"))

    assert (link.netloc, link.path) == ("wa.me", "/628114040708")
    assert parse_qs(link.query, keep_blank_values=True)["text"] == [text]
    assert link.query.isascii()


def test_sender_is_the_lane_s() -> None:
    ours = publisher(WHATSAPP_QUEUE_LANES="default,promo=628114040708")

    assert ours.click_to_start_link("Halo", lane="promo").startswith("https://wa.me/628114040708?")
    with pytest.raises(Unroutable, match="several lanes"):
        ours.click_to_start_link("Halo")
    with pytest.raises(Unroutable, match="no lane 'promos'"):
        ours.click_to_start_link("Halo", lane="promos")


@pytest.mark.parametrize(
    ("text", "sender", "code"),
    [
        ("", None, "empty-text"),
        (" \n", None, "empty-text"),
        ("x" * 4097, None, "too-long"),
        ("\ud800", None, "not-unicode"),
        ("Halo", "shop", "letter-in-phone-number"),
    ],
)
def test_what_makes_no_link_is_explained(text: str, sender: str | None, code: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        publisher().click_to_start_link(text, sender=sender)

    assert caught.value.code == code


def test_lane_without_a_number_is_explained() -> None:
    ours = Publisher(load_settings(ADDRESS))
    named = Publisher(load_settings(ADDRESS | {"WHATSAPP_SENDER": "1066000000"}))

    for one in (ours, named):
        with pytest.raises(InvalidMessage, match="lane default") as caught:
            one.click_to_start_link("Halo")
        assert caught.value.code == "no-sender"
