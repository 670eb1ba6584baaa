"""What is known of a person whom messages are sent to."""

from enum import StrEnum


class Standing(StrEnum):
    """How well a sender knows a recipient."""

    #: Never wrote, and was never written to.
    COLD = "cold"
    #: A provider took a message for them; no gateway without receipts can tell more.
    CONTACTED = "contacted"
    #: Wrote to us, or received or read what we sent, or was imported as known.
    KNOWN = "known"


class Purpose(StrEnum):
    """What a message is for; an opt-out is for one of them, or for all."""

    TRANSACTION = "transaction"
    REMINDER = "reminder"
    MARKETING = "marketing"


#: An opt-out of everything.
ALL_PURPOSES = "all"
