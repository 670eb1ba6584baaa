import time

from antrian.sandbox.behaviour import Mode, ModeName, Submission
from antrian.sandbox.dialects.dialect import whatsapp_id
from antrian.sandbox.request_log import RequestLog


def submission(number: str = "6281234567890") -> Submission:
    return Submission(sender="6281100000000", number=number, message="Halo", correlation_id="ours:1:1")


def take(record: RequestLog, number: str = "6281234567890", at: float = 0) -> str:
    return record.take(submission(number), at, whatsapp_id(), "sandbox").answered


def test_arrivals_are_listed_by_their_time_whoever_came_first_to_the_lock() -> None:
    record = RequestLog()
    for at in (3.0, 1.0, 2.0):
        take(record, at=at)

    assert [arrival.at for arrival in record.arrivals()] == [1.0, 2.0, 3.0]


def test_arrival_is_listed_without_any_key() -> None:
    record = RequestLog()
    take(record, at=1764000000.1234567)
    listed = record.arrivals()[0].as_json()

    assert listed.pop("provider_id").startswith("3EB0")
    assert listed == {
        "at": 1764000000.123457,
        "dialect": "sandbox",
        "kind": "text",
        "correlation_id": "ours:1:1",
        "number": "6281234567890",
        "message": "Halo",
        "sender": "6281100000000",
        "answered": "sent",
    }


def test_record_is_bounded_and_loses_the_oldest() -> None:
    record = RequestLog(longest=3)
    for at in range(5):
        take(record, at=float(at))

    assert [arrival.at for arrival in record.arrivals()] == [2.0, 3.0, 4.0]


def test_scripts_are_kept_per_number() -> None:
    record = RequestLog()
    numbers = ["628120009004", "628130009004", "+62 812-000-9004"]

    assert [take(record, number) for number in numbers] == ["throttled", "throttled", "sent"]


def test_clearing_starts_the_scripts_again() -> None:
    record = RequestLog()
    before = take(record, "628120009004")
    removed = record.clear()
    after = take(record, "628120009004")

    assert (before, removed, after, len(record.arrivals())) == ("throttled", 1, "throttled", 1)


def test_mode_of_everyone_does_not_use_up_a_script() -> None:
    record = RequestLog()
    record.mode = Mode(ModeName.DOWN)
    take(record, "628120009004")
    record.mode = Mode()

    assert take(record, "628120009004") == "throttled"


def test_number_is_known_once_it_received_or_wrote() -> None:
    record = RequestLog()
    take(record, "628120000001")
    take(record, "628120009001")  # not on WhatsApp: received nothing
    record.note_inbound("628120000002")
    record.clear()
    record.mode = Mode(ModeName.COLD_REFUSED)
    numbers = ("628120000001", "628120000002", "628120000003", "628120009001")
    answered = [take(record, number) for number in numbers]

    assert answered == ["sent", "sent", "cold-refused", "cold-refused"]
    assert record.forget_contacts() == 2
    assert take(record, "628120000001") == "cold-refused"


def test_mode_ends_by_itself() -> None:
    record = RequestLog()
    record.mode = Mode(ModeName.DOWN, until=record.now() - 1)

    assert (record.mode.name, take(record)) == (ModeName.OK, "sent")


def test_ids_differ() -> None:
    record = RequestLog()
    for _ in range(100):
        take(record)

    assert len({arrival.provider_id for arrival in record.arrivals()}) == 100


def test_time_is_unix_time() -> None:
    before, now, after = time.time(), RequestLog().now(), time.time()
    # It begins with two readings of two clocks, between which the machine may do something else.
    assert before - 10 < now < after + 10
