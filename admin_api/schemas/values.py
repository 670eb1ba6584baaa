"""Values that several requests have."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from antrian.domain.priority import Priority

Text = Annotated[str, Field(min_length=1, max_length=200)]
#: Unix seconds, up to the end of the year 9999.
Moment = Annotated[float, Field(ge=0, le=253_402_300_799, description="Unix seconds.")]
Cursor = Annotated[str | None, Field(max_length=500, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Field(ge=1, le=500)]
PriorityName = Annotated[
    str,
    Field(pattern=f"^({'|'.join(one.name.lower() for one in Priority)})$", examples=["normal", "high"]),
]


class HistoryAge(BaseModel):
    """Whether an answer from the history holds everything that had happened when it was asked for."""

    caught_up: bool
    behind_seconds: float = Field(description="How old the answer is; 0 when it is caught up.")


def priority_fields(level: int) -> dict[str, Any]:
    """A priority as every answer tells it: by name, and as the broker's number."""
    return {"priority": Priority.label(level), "priority_level": level}


def with_priority_name(details: Mapping[str, Any]) -> dict[str, Any]:
    """An event's details, in which the priority is the broker's number, as an answer tells them."""
    level = details.get("priority")
    if not isinstance(level, int) or isinstance(level, bool):
        return dict(details)
    return dict(details) | priority_fields(level)


class Strict(BaseModel):
    """What a client sends: an unknown field is refused, because a misspelt one that is ignored would mislead."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
