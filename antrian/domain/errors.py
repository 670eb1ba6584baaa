"""What can go wrong between Antrian and its surroundings.

    AntrianError
    ├── SettingsError           correct the environment; every wrong variable is named
    ├── UnknownLane             no lane of that name, or none named where there are several
    ├── MalformedMessage        this body can never be sent; dead-letter it
    │   ├── InvalidPhoneNumber
    │   └── NewerVersion        it may be sent by a newer consumer; keep it for that one
    ├── BrokerError
    │   ├── BrokerUnreachable   nothing answers, or the connection broke; try again later
    │   │   └── ConnectionBroke in the middle of the work; a new connection may be had at once
    │   ├── BrokerRefused       wrong password, missing permission, wrong vhost; correct the account
    │   └── TopologyConflict    an object exists with other arguments; migrate it
    ├── NoBroker                no way to get a broker on this machine
    ├── WrongUse                the command line asks for something that cannot be; nothing was changed
    ├── PortBusy                something else listens where one of our servers must
    └── CommandFailed           a command could not do what was asked

`publisher.errors`, `antrian.operations.dead_letters.errors` and `admin_api.auth.errors` add the errors of their own
callers.
"""

from collections.abc import Mapping

#: No contract gets so far: a larger version is shown without its digits.
_ABSURD_VERSION = 10**9


class AntrianError(Exception):
    """Root of everything that Antrian raises on purpose; its text is one clear sentence."""


class SettingsError(AntrianError):
    """One or more settings are wrong; the text has a line for each."""


class UnknownLane(AntrianError):
    """No lane has that name, or none is named where there are several; the text names those that there are.

    Args:
        code: `unknown-lane` or `lane-needed`.
        detail: one sentence for people.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class MalformedMessage(AntrianError):
    """A body that breaks the message contract.

    Args:
        code: a short constant for machines, such as `not-json` or `too-long`.
        detail: one sentence for people; it never quotes the message's text or number.
        fields: the same, by field; empty where it is about none.
    """

    def __init__(self, code: str, detail: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = dict(fields or {})


class InvalidPhoneNumber(MalformedMessage):
    """A recipient that WhatsApp could never reach.

    Args:
        code: as of every `MalformedMessage`.
        detail: one sentence that quotes at most one character of what was typed.
        fields: the same, by field.
        place: which character is wrong, counted from 1; 0 where it is not about one.
        character: that character, where it is a visible one of ASCII.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        fields: Mapping[str, str] | None = None,
        *,
        place: int = 0,
        character: str = "",
    ) -> None:
        super().__init__(code, detail, fields)
        self.place = place
        self.character = character


class NewerVersion(MalformedMessage):
    """A body of a later version of the contract: this version cannot tell whether it is right or what it asks for.

    Args:
        version: which one it says it is.
        newest: the latest that is known here.
    """

    def __init__(self, version: int, newest: int) -> None:
        # Of a number with a thousand digits it is enough to know that it is large.
        shown = str(version) if version < _ABSURD_VERSION else "above a billion"
        super().__init__("newer-version", f"the body is of version {shown}, and this program reads up to {newest}")
        self.version = version


class BrokerError(AntrianError):
    """The broker did not do what was asked."""


class BrokerUnreachable(BrokerError):
    """Nothing answers at the broker's address, or the connection broke; trying again later may help."""


class ConnectionBroke(BrokerUnreachable):
    """A connection that was open ended in the middle of the work; what was not confirmed may have happened or not."""


class BrokerRefused(BrokerError):
    """The broker answered, and said no: credentials, permissions or virtual host."""


class TopologyConflict(BrokerError):
    """An exchange or queue exists with other arguments than Antrian needs; the text says how to migrate."""


class NoBroker(AntrianError):
    """No broker could be found or started on this machine; the text says what to install."""


class PortBusy(AntrianError):
    """Something else listens where one of our servers must listen."""


class WrongUse(AntrianError):
    """The command line asks for something that cannot be; nothing was changed."""


class CommandFailed(AntrianError):
    """A command could not do what was asked."""
