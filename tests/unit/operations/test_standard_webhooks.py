"""Callbacks on paper: their signatures, their addresses, their tasks."""

import base64
import json
from itertools import accumulate

import pytest
from factories import NOW, make_settings

from antrian.broker.topology import Names
from antrian.domain.delay_ladder import ladder_delay
from antrian.domain.errors import SettingsError
from antrian.operations.callbacks.callback_target import OWNER, CallbackTargets
from antrian.operations.callbacks.callback_task import PAUSES, CallbackTask
from antrian.operations.callbacks.standard_webhooks import read_secret, signed_headers

NAMES = Names("wa")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = CallbackTask.of("message.read", "shop", {"message_id": "m1"}, at=NOW, names="m1\np1")


def test_a_signature_is_that_of_the_standards_example():
    body = b'{"test": 2432232314}'
    keys = [read_secret(SECRET), b"x" * 32]
    headers = signed_headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.7, body)
    first, second = headers["webhook-signature"].split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (second[:3], first != second, headers["webhook-timestamp"]) == ("v1,", True, "1614265330")


@pytest.mark.parametrize(
    "wrong",
    ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_?", "whsec_" + base64.b64encode(b"x" * 23).decode()],
)
def test_a_secret_is_checked_and_never_quoted(wrong):
    with pytest.raises(ValueError, match="base64 of 24 to 64 bytes") as told:
        read_secret(wrong)
    assert len(wrong) <= len("whsec_") or wrong not in str(told.value)


def test_targets_come_from_the_settings():
    settings = make_settings(
        CALLBACK_URL="https://example.com/in",
        CALLBACK_SOURCES="shop=http://shop:8000/hook,pay=http://127.0.0.1:9/",
        CALLBACK_SECRET=f"{SECRET}, whsec_{base64.b64encode(b'y' * 32).decode()}",
    )
    targets = CallbackTargets.of(settings)
    assert (targets.sources, targets.urls[OWNER]) == ({"shop", "pay"}, "https://example.com/in")
    assert (len(targets.keys), SECRET[6:] in repr(targets)) == (2, False)
    assert CallbackTargets.of(make_settings()) == CallbackTargets()


def test_every_wrong_address_and_secret_is_named_and_no_secret_quoted():
    settings = make_settings(
        CALLBACK_URL="http://example.com/in", CALLBACK_SOURCES="shop=ftp://x", CALLBACK_SECRET="hunter2hunter2"
    )
    with pytest.raises(SettingsError) as told:
        CallbackTargets.of(settings)
    text = str(told.value)
    assert all(one in text for one in ("CALLBACK_URL: must begin with https", "CALLBACK_SOURCES: shop", "whsec_"))
    assert "hunter2" not in text
    with pytest.raises(SettingsError, match="CALLBACK_SECRET: is needed"):
        CallbackTargets.of(make_settings(CALLBACK_URL="https://example.com"))


def test_a_task_is_the_same_each_time_and_keeps_its_bytes():
    again = CallbackTask.of("message.read", "shop", {"message_id": "m1"}, at=NOW, names="m1\np1")
    other = CallbackTask.of("message.read", "shop", {"message_id": "m1"}, at=NOW, names="m1\np2")
    assert (again, other.webhook_id != TASK.webhook_id) == (TASK, True)
    assert json.loads(TASK.payload) == {
        "type": "message.read",
        "timestamp": "2027-01-15T08:00:00.000Z",
        "data": {"message_id": "m1"},
    }
    assert CallbackTask.decode(TASK.failed("http-500").encode()) == TASK.failed("http-500")
    for wrong in (b"", b"[]", b"{}", b'{"webhook_id":1}', TASK.encode().replace(b'"tries":0', b'"tries":-1')):
        assert CallbackTask.decode(wrong) is None


def test_a_task_is_tried_for_hours_and_then_given_up():
    tries = list(accumulate(PAUSES, lambda task, _: task.failed("no-answer"), initial=TASK))[1:]
    assert [task.pause for task in tries] == [5, 30, 120, 600, 3_600, 21_600]
    assert tries[-1].failed("no-answer").pause is None
    later = tries[1].later(NAMES, 30)
    assert (later.exchange, ladder_delay(later.routing_key), later.routing_key[-11:]) == (
        "wa.delay.04",
        30,
        "._callbacks",
    )
    assert (tries[0].given_up(NAMES).exchange, tries[0].given_up(NAMES).routing_key) == (
        "wa.due",
        "released._dead_callbacks",
    )
    assert TASK.at_once(NAMES).routing_key == "released._callbacks"
