"""Releasing held messages."""

from typing import Annotated

from pydantic import Field, model_validator

from admin_api.schemas.failed import Ids
from admin_api.schemas.values import Strict, Text
from antrian.operations.lane.release_filter import ReleaseFilter


class ReleaseRequest(Strict):
    """Which held messages of one lane: `{}` is all of them."""

    lane: Text | None = Field(default=None, description="Needed only where there are several.")
    reason: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None,
        description="window, recipient_gap, cold_held, cold_cap or warm_up. Only `cold_held` by its name ends the "
        "refusal of new contacts.",
        examples=["cold_cap"],
    )
    ids: Ids | None = None
    source: Text | None = Field(default=None, description="Only what this service published.")

    @model_validator(mode="after")
    def _not_both(self) -> "ReleaseRequest":
        if self.reason is not None and self.ids is not None:
            raise ValueError("use either reason or ids")
        return self

    def meant(self, lane: str) -> ReleaseFilter:
        """As the release understands it.

        Raises:
            NotReleasable: no single messages are held for that reason.
        """
        return ReleaseFilter.of(lane, reason=self.reason, ids=self.ids, source=self.source)
