"""What a provider is given of a message, for one attempt."""

from antrian.domain.message import Message
from antrian.domain.opt_out import purpose_of
from antrian.domain.receipt import correlation_of
from antrian.providers.contract import Outgoing
from consumer.lane.holds import LaneHolds
from consumer.lane.port import LaneRules


class OutgoingMessages:
    """Makes what one lane's provider is given.

    Args:
        rules: of the lane.
        holds: knows the recipients.
    """

    def __init__(self, rules: LaneRules, holds: LaneHolds) -> None:
        self._rules = rules
        self._holds = holds

    def of(self, message: Message) -> Outgoing:
        """The message, for the attempt that its number says.

        Raises:
            ContactsLost: what is known of the recipients must be read again first.
        """
        body = message.body
        is_named = self._rules.echo is not None
        bsuid, window_until = self._holds.reach(message) if self._rules.has_window else ("", None)
        return Outgoing(
            message_id=message.message_id,
            recipient=body.phone_number,
            text=body.message,
            correlation_id=correlation_of(message.message_id, message.generation, message.attempt) if is_named else "",
            bsuid=bsuid,
            purpose=purpose_of(body.purpose, message.priority),
            window_until=window_until,
            metadata=body.metadata or {},
        )

    def echoed(self, outgoing: Outgoing) -> dict[str, str]:
        """What the beginning of the attempt tells, so that its receipt can be matched; nothing where none comes."""
        name = self._rules.echo(outgoing.correlation_id) if self._rules.echo else ""
        return {"echoed_id": name} if name else {}
