"""What providers told of the senders and of themselves."""

from typing import Literal

from pydantic import BaseModel, Field

from admin_api.schemas.values import Cursor, Limit, Strict


class NoticeQuery(Strict):
    """Which notices to list."""

    cursor: Cursor = None
    limit: Limit = 50


class NoticeItem(BaseModel):
    """One notice. Times are unix seconds."""

    at: float = Field(description="When it was heard.")
    lane: str
    provider: str
    kind: Literal["session", "account", "unreadable"] = Field(
        description="`session`: the sender's connection; `account`: what the sender may do, or how it is rated; "
        "`unreadable`: a report that nobody here can read."
    )
    state: str = Field(description="Of a session its state, of an account the kind of notice; else empty.")
    detail: str


class Notices(BaseModel):
    """Some notices, newest first."""

    items: list[NoticeItem]
    next_cursor: str | None
