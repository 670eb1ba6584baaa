"""What a force and a try led to, in sentences for people."""

from antrian.domain.human_time import duration
from antrian.operations.lane.control import Forced
from antrian.operations.lane.try_one import Tried

_ENDED = {
    "paused": "Lane {lane} is no longer paused.",
    "pause": "The pause after the last send has ended.",
    "throttled": "The break that the provider asked for has ended.",
    "unavailable": "The wait for the provider has ended; the next attempt shows whether it is back.",
}

_WAITS_FOR = {
    "pause": "when the pause after the last send is over",
    "throttled": "when the break that the provider asked for is over",
    "unavailable": "when the wait for the provider, which could not be reached, is over",
}


def forced_in_words(done: Forced) -> str:
    """What exactly a force ended, and what follows."""
    sentences = [_ENDED[what].format(lane=done.lane) for what in done.ended]
    if not done.forced:
        sentences.append("No consumer is running, so nothing is sent: start one with `antrian consume`.")
    elif not done.ended:
        sentences.append(f"There was no wait to end in lane {done.lane}.")
    if done.forced and not done.waiting:
        is_free = "pause" in done.ended or "throttled" in done.ended or "unavailable" in done.ended
        sentences.append(f"Nothing waits{'; the next message that comes is sent at once' if is_free else ''}.")
    return " ".join(sentences)


def tried_in_words(done: Tried) -> str:
    """Which message was chosen, and when it is sent."""
    when = f"in {duration(done.wait)}, {_WAITS_FOR[done.reason]}" if done.reason in _WAITS_FOR else "now"
    return f"Message {done.message_id} is sent {when}. Lane {done.lane} stays paused."
