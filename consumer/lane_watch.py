"""Looks at a worker while it works, from any thread."""

from antrian.domain.failure_class import FailureClass
from consumer.caller import Caller
from consumer.conversation import Conversation
from consumer.lane_view import LaneView
from consumer.outcome_feed import OutcomeFeed
from consumer.pace import Pace


class LaneWatch:
    """Takes views of one lane's worker.

    Args:
        lane: its lane.
        talk: tells whether it is connected.
        feed: tells whose turn it is.
        pace: tells what it waits for.
        caller: tells whether it is sending.
    """

    def __init__(self, lane: str, talk: Conversation, feed: OutcomeFeed, pace: Pace, caller: Caller) -> None:
        self._lane = lane
        self._talk = talk
        self._feed = feed
        self._pace = pace
        self._caller = caller

    def view(self) -> LaneView:
        """What is to be seen now."""
        pace, ledger, turn = self._pace, self._feed.ledger, self._feed.turn
        if not turn.is_ours:
            # The one at work may be gone without a word; the answer is there for the next view.
            self._talk.count_subscribers()
        return LaneView(
            lane=self._lane,
            connected=self._talk.is_connected,
            sending=self._caller.is_calling,
            paused=pace.paused,
            active=turn.is_ours,
            pause_over_at=pace.pause_over_at,
            hold_over_at=pace.hold_over_at,
            hold_reason=pace.hold_reason,
            breaker_open=ledger.times.held_because == FailureClass.UNAVAILABLE,
            remembered=len(ledger),
        )
