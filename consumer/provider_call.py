"""Calls the provider in a thread of its own, so that a slow one costs neither heartbeats nor a wish to stop."""

import threading
import time

from broker.message import Message
from broker.priority import Priority
from consumer import inbox
from consumer.conversation import Conversation
from consumer.lane.pace import Pace
from consumer.providers.contract import Failed, FailureClass, Outgoing, Provider, SendResult
from consumer.connection import Inbox
from consumer.observers import Audience, Call


class Caller:
    """One worker's calls, one at a time.

    Args:
        provider: what sends.
        talk: where to wait for the answer.
        inbox: where the answer is put.
        pace: says whether a call was allowed to begin early.
        audience: told of each call.

    Attributes:
        is_calling: whether a call is under way; for other threads.
    """

    def __init__(self, provider: Provider, talk: Conversation, inbox: Inbox, pace: Pace, audience: Audience) -> None:
        self.is_calling = False
        self._provider = provider
        self._talk = talk
        self._inbox = inbox
        self._pace = pace
        self._audience = audience
        self._calls = 0

    def ask(self, message: Message, *, deadline: float) -> SendResult:
        """Have a message sent, whatever happens to the connection meanwhile.

        Args:
            message: what to send.
            deadline: monotonic seconds at which an answer no longer counts.
        """
        excused = message.priority >= Priority.URGENT or self._pace.forced
        began, self.is_calling = time.monotonic(), True
        try:
            result = self._answer(message, deadline)
        finally:
            self.is_calling = False
        ended, at = time.monotonic(), time.time()
        self._audience.called(Call(message, self._provider.name, began, ended, at, result, excused=excused))
        return result

    def _answer(self, message: Message, deadline: float) -> SendResult:
        self._calls += 1
        call = self._calls
        outgoing = Outgoing(message.message_id, message.body.phone_number, message.body.message)
        arguments = (self._provider, outgoing, call, self._inbox)
        threading.Thread(target=_call, args=arguments, daemon=True, name="antrian-send").start()
        self._talk.wait(lambda: self._talk.answer_to(call) is not None, until=deadline, whatever_happens=True)
        return self._talk.answer_to(call) or Failed(FailureClass.UNCERTAIN, "no-answer", "the provider never answered")


def _call(provider: Provider, outgoing: Outgoing, call: int, inbox: Inbox) -> None:
    result: SendResult
    try:
        result = provider.send(outgoing)
    except Exception as error:  # noqa: BLE001 (a broken adapter must not stop the lane; the message may have gone out)
        result = Failed(FailureClass.UNCERTAIN, "adapter-error", type(error).__name__)
    inbox.put(signals.Answered(call, result))
