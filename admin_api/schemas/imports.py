"""Files that are uploaded, checked and queued."""

from pydantic import BaseModel, Field

from admin_api.schemas.values import PriorityName, Strict, Text
from antrian.operations.bulk_import.already_queued import KnownPlace
from antrian.operations.bulk_import.upload import UploadState


class ImportQuery(Strict):
    """What holds for a file."""

    filename: Text = Field(default="messages.csv", description="Its extension gives the format: .csv or .jsonl.")
    lane: Text | None = Field(default=None, description="For rows that name none; needed only for several lanes.")
    source: Text = Field(default="import", description="The sending service, for rows that name none.")
    priority: PriorityName = Field(default="normal", description="For rows that do not say.")
    batch: str = Field(default="", max_length=200, description="Rows of another batch are other messages.")
    ignore_columns: str = Field(default="", max_length=1_000, description="Columns to leave out, such as `no,name`.")


class RefusalItem(BaseModel):
    """Why a row cannot be a message."""

    line: int = Field(description="Where the row begins in its file, from 1.")
    field: str = Field(description="Empty for the whole row.")
    reason: str


class RepetitionItem(BaseModel):
    """A row with a key that an earlier row has, too."""

    line: int
    first: int = Field(description="Where the first row with this key begins.")


class FailureItem(BaseModel):
    """A row that is not in the queue, as far as anybody knows."""

    line: int
    reason: str


class ImportReport(BaseModel):
    """What `antrian import --json` prints. Lists hold at most 1,000; the counts beside them are right."""

    dry_run: bool
    read: int
    new: int | None = Field(description="Right rows that no earlier import has queued.")
    queued: int
    already: dict[KnownPlace, int] = Field(description="Rows that an earlier import has queued, by where they are.")
    already_known: bool = Field(description="Whether that could be found out.")
    repeated: list[RepetitionItem]
    repeated_count: int
    invalid: list[RefusalItem]
    invalid_rows: int
    failed: list[FailureItem]
    failed_count: int
    stopped: str | None = Field(description="Why it ended early; null when it did not.")


class ImportItem(BaseModel):
    """An upload. The server forgets it after an hour, and when it is restarted."""

    import_id: str
    filename: str
    state: UploadState
    done: int = Field(description="How many of `total` are handed over, or left out because they are there already.")
    total: int
    problem: str = Field(description="Why nothing more was queued; empty when all went well.")
    expires_at: float = Field(description="When it is forgotten, unix seconds.")
    report: ImportReport


class QueueRequest(Strict):
    """How to queue an upload."""

    skip_invalid: bool = Field(default=False, description="Leave wrong rows out, instead of queueing nothing.")
