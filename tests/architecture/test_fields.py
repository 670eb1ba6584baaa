"""A field of the message's body is everywhere that it must be; what is left out is left out on purpose."""

from dataclasses import fields

import pytest

from admin_api.schemas.ingest import NewMessage
from admin_api.schemas.message import MessageItem
from antrian.domain.body import NEWEST_VERSION, OLDEST_VERSION, SINCE, MessageBody
from antrian.history.projection.columns import CONTENTS, MESSAGES
from antrian.history.projection.message_row import MessageRow
from antrian.history.records import MessageRecord
from antrian.operations.bulk_import.row import FIELDS
from publisher import MessageRequest

BODY = set(MessageBody.model_fields)

#: Of the body: written by `build`, in the lowest version that the other fields need; the same as the lane's queue.
NOT_KEPT = {"version", "lane"}
#: Of a record: the API tells one hold of every message that waits, whoever knows of it.
HOLD = {"hold_reason", "hold_until", "hold_rule"}
#: Of a request: these become the way on which it is published.
ROUTED = {"lane", "deliver_at", "priority"}
#: Of a request: these are a publisher's own code's business.
FROM_CODE = {"message_id", "traceparent", "tracestate"}


def names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def test_the_history_keeps_every_field():
    assert {one.body_field for one in CONTENTS} == BODY - NOT_KEPT


def test_what_the_history_keeps_is_in_its_records_and_in_the_api():
    kept = {one.name for one in CONTENTS}
    assert kept <= names(MessageRecord)
    # The API calls the text what the body calls it.
    shown = {one.body_field for one in CONTENTS}
    assert shown <= MessageItem.model_fields.keys()
    assert names(MessageRecord) - {"text"} - HOLD <= MessageItem.model_fields.keys()


@pytest.mark.parametrize(
    "known",
    [names(MessageRequest) - FROM_CODE, set(NewMessage.model_fields), set(FIELDS)],
    ids=["python", "http", "file"],
)
def test_every_way_in_knows_every_field(known):
    assert known | NOT_KEPT == BODY | ROUTED


def test_what_the_projection_writes_is_what_it_reads():
    contents = {one.name for one in CONTENTS}
    assert MESSAGES.columns.keys() - contents <= names(MessageRow)


def test_every_field_has_a_version_and_what_came_later_is_optional():
    assert set(SINCE.values()) == set(range(OLDEST_VERSION, NEWEST_VERSION + 1))
    later = [MessageBody.model_fields[name] for name, since in SINCE.items() if since > OLDEST_VERSION]
    assert not [field for field in later if field.is_required() or field.default is not None]
