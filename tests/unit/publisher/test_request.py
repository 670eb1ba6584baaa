"""A request and what is made of it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage, MessageRequest
from publisher.request import compose, compose_pair

NOW = 1_795_000_000.0


@given(st.sampled_from(["081234567890", "+62 812-3456-7890", "0812", "+1", "", 5]), st.text("a \n\0", max_size=3))
def test_a_number_and_a_text_make_what_a_request_with_these_makes(phone_number: Any, text: str) -> None:
    def made(make: Any, *arguments: Any) -> Any:
        try:
            return replace(make(*arguments, "source", NOW), message_id="m")
        except InvalidMessage as error:
            return error.code, str(error), error.fields

    request = MessageRequest(phone_number=phone_number, message=text)
    assert made(compose_pair, phone_number, text) == made(compose, request)
