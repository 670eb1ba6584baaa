"""One try to tell a service something: a POST, and what its answer means."""

import time
from dataclasses import dataclass
from enum import StrEnum

from antrian.operations.callbacks.callback_target import CallbackTargets
from antrian.operations.callbacks.callback_task import CallbackTask
from antrian.operations.callbacks.standard_webhooks import signed_headers
from antrian.providers.contract import Failed
from antrian.providers.http import Timeouts, request

#: Seconds; a receiver is to answer first and work later.
_TIMEOUTS = Timeouts(connect=5.0, read=10.0, body=5.0)

_SUCCESS, _REDIRECT, _GONE = 200, 300, 410


class CallResult(StrEnum):
    """What became of a try."""

    #: The receiver has it.
    DELIVERED = "delivered"
    #: The receiver says that it wants no such things any more.
    DROPPED = "dropped"
    #: To be tried again.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Call:
    """A try that is over.

    Attributes:
        result: what became of it.
        problem: why it failed, or was dropped: no address, no text.
        retry_after: seconds that the receiver asks for; None where it does not.
    """

    result: CallResult
    problem: str = ""
    retry_after: float | None = None


def call(targets: CallbackTargets, task: CallbackTask, timeouts: Timeouts = _TIMEOUTS) -> Call:
    """Tell it once. Redirects are not followed: an address is what the owner has set, and nothing that it leads to."""
    url = targets.urls.get(task.target)
    if url is None:
        # Another admin side may have other settings; what nobody has an address for is given up in the end, and kept.
        return Call(CallResult.FAILED, "no-address")
    body = task.payload.encode()
    headers = signed_headers(targets.keys, task.webhook_id, time.time(), body)
    answer = request("POST", url, timeouts, {"Content-Type": "application/json", **headers}, body)
    if isinstance(answer, Failed):
        return Call(CallResult.FAILED, answer.code)
    if _SUCCESS <= answer.status < _REDIRECT:
        return Call(CallResult.DELIVERED)
    if answer.status == _GONE:
        return Call(CallResult.DROPPED, "the receiver says that it is gone (410)")
    return Call(CallResult.FAILED, f"http-{answer.status}", answer.retry_after)
