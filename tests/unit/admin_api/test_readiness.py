"""Whether the admin side calls itself ready: a thread that was lost is told, although the process lives."""

import asyncio
import math
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from admin_api.problems import Problem
from admin_api.routes.health import readyz
from antrian.domain.errors import BrokerUnreachable


def answered(value) -> Future:
    answer = Future()
    if isinstance(value, Exception):
        answer.set_exception(value)
    else:
        answer.set_result(value)
    return answer


def parts(
    *,
    observer_is_well=True,
    history_is_well=True,
    reports_are_well=True,
    readings=None,
    one="a reading",
    checked_at=5.0,
    lag=0.0,
):
    everything = {"default": object()} if readings is None else readings
    observer = SimpleNamespace(
        is_well=observer_is_well,
        lanes=("default", "other"),
        ask=lambda _lane: answered(one),
        ask_all=lambda: answered(everything),
    )
    follower = SimpleNamespace(is_well=history_is_well, lag_seconds=lag)
    history = SimpleNamespace(position=lambda: SimpleNamespace(checked_at=checked_at))
    reports = SimpleNamespace(is_well=reports_are_well)
    return SimpleNamespace(observer=observer, follower=follower, history=history, reports=reports)


def test_it_is_ready_when_all_is_well():
    assert asyncio.run(readyz(parts())).status == "ok"


@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [
        ({"observer_is_well": False}, "thread-lost", "observer"),
        ({"history_is_well": False}, "thread-lost", "history"),
        ({"reports_are_well": False}, "thread-lost", "reports"),
        ({"one": BrokerUnreachable("gone")}, "broker-unavailable", "does not answer"),
        ({"readings": {"default": object(), "other": None}}, "broker-unavailable", "no lane other"),
        ({"checked_at": None}, "history-behind", "being read"),
        ({"lag": math.inf}, "history-behind", "being read"),
    ],
)
def test_what_keeps_it_from_being_ready_is_said(facts, code, words):
    with pytest.raises(Problem) as refused:
        asyncio.run(readyz(parts(**facts)))
    assert (refused.value.status, refused.value.code) == (503, code)
    assert words in refused.value.detail
