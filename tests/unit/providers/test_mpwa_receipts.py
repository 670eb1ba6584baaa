import json

import pytest
from gateway_requests import BODIES, NOW, SECRET, SENDER, is_kept, lane_of, posted, spoiled, told
from hypothesis import given

from antrian.domain.receipt import InboundMessage, reported
from antrian.providers.mpwa.receipts import READER

LANE = lane_of("mpwa")


def written(**fields: object) -> dict[str, object]:
    return {"device": SENDER, "from": "6281234567890", "message": "STOP", "name": "Budi"} | fields


def test_message_of_a_person() -> None:
    assert told(READER, written(), LANE) == (InboundMessage(recipient="+6281234567890", text="STOP"),)
    (image,) = told(READER, written(media="x", mimetype="image/jpeg", message=""), LANE)
    assert isinstance(image, InboundMessage)
    assert image.kind == "image"


def test_second_stop_is_no_repeat_of_the_first() -> None:
    assert not READER.repeat_key(posted(written()))


@pytest.mark.parametrize("fields", [{"from": "12-34@g.us"}, {"participant": "6281234567890"}])
def test_group_says_nothing(fields: dict[str, object]) -> None:
    assert told(READER, written(**fields), LANE) == ()


def test_device_must_be_the_lanes_own() -> None:
    assert READER.verify(posted(written()), [SECRET], LANE, NOW)
    assert not READER.verify(posted(written(device="628999")), [SECRET], LANE, NOW)
    assert not READER.verify(posted(written(device=None)), [SECRET], LANE, NOW)
    assert not READER.verify(posted(written()), [], LANE, NOW)


@pytest.mark.parametrize(
    "body", [b"", b"null", {"device": SENDER}, written(**{"from": "Budi"}), written(**{"from": 7})]
)
def test_what_nobody_can_read_is_kept(body: bytes | dict[str, object]) -> None:
    assert is_kept(told(READER, body, LANE))


EVENTS = (written(media="x", mimetype="image/png", participant=None),)


@given(BODIES | spoiled(*EVENTS))
def test_any_bytes_are_read_without_an_exception(body: bytes) -> None:
    READER.verify(posted(body), [SECRET], LANE, NOW)
    for read in READER.read(posted(body), LANE, NOW):
        json.dumps(reported(read, lane="l", provider="p", sender="s", at=NOW, source="s").details, allow_nan=False)
