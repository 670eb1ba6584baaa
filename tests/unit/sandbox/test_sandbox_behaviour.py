import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.sandbox.behaviour import Course, Decision, Ending, Mode, ModeName, Submission, decide
from antrian.sandbox.control import Inbound, read_inbound, read_mode
from antrian.sandbox.dialects.mpwa import MpwaDialect, check_number, read_submission
from antrian.sandbox.exchange import Reply, decode_fields

IDENTITY = {"api_key": "key", "sender": "6281100000000"}
FIELDS = IDENTITY | {"number": "6281234567890", "message": "Halo"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def submission(ending: str, *, full: bool = False) -> Submission:
    return Submission(sender="6281100000000", number=f"62812000{ending}", message="Halo", full=full)


def decided(ending: str, mode: str = "ok", earlier: int = 0, seconds: float = 5.0) -> Decision:
    return decide(submission(ending), Mode(ModeName(mode), seconds), earlier)


def rendered(decision: Decision, *, full: bool = False) -> Reply:
    return MpwaDialect().render(submission("7890", full=full), decision, "3EB0AB", 0)


def test_complete_fields_are_a_submission() -> None:
    assert read_submission(FIELDS | {"full": 1}) == Submission(
        sender="6281100000000", number="6281234567890", message="Halo", full=True
    )


def test_numbers_may_come_without_quotes() -> None:
    found = read_submission(FIELDS | {"number": 6281234567890, "sender": 6281100000000})

    assert found == Submission(sender="6281100000000", number="6281234567890", message="Halo")


@pytest.mark.parametrize("missing", ["api_key", "sender"])
@pytest.mark.parametrize("value", [None, "", "  ", [], {}, True])
def test_identity_is_asked_for_first(missing: str, value: object) -> None:
    found = read_submission({**FIELDS, "number": "", missing: value})

    assert isinstance(found, Reply)
    assert (found.status, found.body) == (400, {"status": False, "msg": "Invalid api_key or sender,please check again"})


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        "text",
        IDENTITY,
        FIELDS | {"message": ""},
        FIELDS | {"message": 5},
        FIELDS | {"message": None},
        FIELDS | {"number": "abc"},
        FIELDS | {"number": ""},
        FIELDS | {"number": True},
        FIELDS | {"number": ["6281234567890"]},
        FIELDS | {"number": "6281234567890|6281234567891"},
        FIELDS | {"number": "123456@g.us"},
    ],
)
def test_bad_fields_get_mpwas_own_answer(fields: object) -> None:
    found = read_submission(fields)

    assert isinstance(found, Reply)
    assert (found.status, found.body) == (400, {"status": False, "msg": "Invalid parameters!"})


@pytest.mark.parametrize(
    ("ending", "earlier", "answered", "status"),
    [
        ("7890", 0, "sent", 200),
        ("9001", 9, "rejected", 400),
        ("9002", 9, "failed", 400),
        ("9003", 0, "failed", 400),
        ("9003", 1, "failed", 400),
        ("9003", 2, "sent", 200),
        ("9004", 0, "throttled", 429),
        ("9004", 1, "sent", 200),
        ("9005", 0, "sent", 200),
        ("9006", 0, "never", 200),
        ("9007", 0, "dropped", 200),
        ("9008", 0, "rejected", 200),
    ],
)
def test_simulator_numbers(ending: str, earlier: int, answered: str, status: int) -> None:
    found = decided(ending, earlier=earlier)

    assert (found.answered, rendered(found).status) == (answered, status)


@pytest.mark.parametrize(
    ("ending", "earlier", "course"),
    [
        ("7890", 0, Course.USUAL),
        ("9006", 0, Course.USUAL),
        ("9011", 0, Course.LATE),
        ("9012", 0, Course.TWICE),
        ("9013", 0, Course.REVERSED),
        ("9014", 0, Course.NEVER),
        ("9015", 9, Course.FAILED),
        ("9016", 0, Course.FAILED_FOR_NOW),
        ("9016", 1, Course.USUAL),
        ("9017", 0, Course.CORRECTED),
    ],
)
def test_numbers_with_receipts_of_their_own_are_accepted(ending: str, earlier: int, course: Course) -> None:
    found = decided(ending, earlier=earlier)

    assert (found.course, rendered(found).status) == (course, 200)


def test_only_numbers_with_a_history_are_counted() -> None:
    assert [ending for ending in ("7890", "9001", "9002", "9003", "9004", "9005") if decided(ending).counted] == [
        "9003",
        "9004",
    ]


def test_endings_of_the_connection() -> None:
    found = [(decided(ending).ending, decided(ending).after) for ending in ("7890", "9005", "9006", "9007")]

    assert found == [(Ending.ANSWER, 0), (Ending.ANSWER, 5), (Ending.SILENCE, 0), (Ending.DROP, 0)]


@pytest.mark.parametrize(
    ("mode", "answered", "status"),
    [
        ("ok", "sent", 200),
        ("unauthorized", "unauthorized", 400),
        ("throttle", "throttled", 429),
        ("slow", "sent", 200),
        ("disconnected", "disconnected", 200),
    ],
)
def test_modes(mode: str, answered: str, status: int) -> None:
    found = decided("7890", mode)

    assert (found.answered, rendered(found).status) == (answered, status)


def test_strangers_are_refused_as_whatsapp_does_and_the_others_are_not() -> None:
    mode = Mode(ModeName.COLD_REFUSED)
    stranger = decide(submission("7890"), mode, 0, known=False)
    friend = decide(submission("7890"), mode, 0, known=True)

    assert (stranger.answered, rendered(stranger).status) == ("cold-refused", 500)
    assert rendered(stranger).body == {"status": False, "msg": "Failed to send message! server returned error 463"}
    assert friend.answered == "sent"


def test_end_of_the_refusal_is_stated_and_kept() -> None:
    mode = read_mode({"mode": "cold-refused", "for": 90}, 1_764_000_000.0)
    assert isinstance(mode, Mode)
    stated = rendered(decide(submission("7890"), mode, 0, known=False)).body

    assert stated["reachoutTimeLock"]["timeEnforcementEnds"] == "2025-11-24T16:01:30.000Z"
    assert mode.at(1_764_000_089.9).name is ModeName.COLD_REFUSED
    assert mode.at(1_764_000_090.0).name is ModeName.OK


@pytest.mark.parametrize("fields", [None, {}, {"number": 5}, {"number": "abc"}, {"number": "62", "text": 1}, {"x": 1}])
def test_wrong_inbound_message_is_explained(fields: object) -> None:
    assert isinstance(read_inbound(fields), str)


def test_mode_comes_before_the_number_and_does_not_use_up_its_script() -> None:
    found = decided("9003", "throttle")

    assert (found.answered, found.counted) == ("throttled", False)


def test_slow_keeps_the_number_s_script() -> None:
    found = decided("9003", "slow", seconds=1.5)

    assert (found.answered, found.after, found.counted) == ("failed", 1.5, True)


@pytest.mark.parametrize(("seconds", "header"), [(5.0, "5"), (0.0, "0"), (0.2, "1"), (7.5, "8")])
def test_retry_after_is_whole_seconds_and_never_too_few(seconds: float, header: str) -> None:
    assert rendered(decided("7890", "throttle", seconds=seconds)).headers == {"Retry-After": header}


def test_full_answer_carries_the_id_and_the_short_one_does_not() -> None:
    full, short = rendered(decided("7890"), full=True), rendered(decided("7890"))

    assert full.body["data"]["key"] == {"remoteJid": "628120007890@s.whatsapp.net", "fromMe": True, "id": "3EB0AB"}
    assert short.body == {"status": True, "msg": "Message sent successfully!"}


@pytest.mark.parametrize(
    ("number", "mode", "msg"),
    [
        ("6281100000000", "ok", {"jid": "6281100000000@s.whatsapp.net", "exists": True}),
        ("6281100000000", "disconnected", False),
        ("628120009001", "ok", False),
        ("628120009008", "ok", False),
    ],
)
def test_check_number(number: str, mode: str, msg: object) -> None:
    found = check_number(IDENTITY | {"number": number}, Mode(ModeName(mode)))

    assert (found.status, found.body) == (200, {"status": True, "msg": msg})


@pytest.mark.parametrize(
    ("fields", "mode", "status"),
    [(None, "ok", 400), (IDENTITY, "ok", 400), (IDENTITY, "unauthorized", 400)],
)
def test_check_number_fails_like_the_rest(fields: object, mode: str, status: int) -> None:
    assert check_number(fields, Mode(ModeName(mode))).status == status


@pytest.mark.parametrize("name", list(ModeName))
def test_every_mode_can_be_set(name: ModeName) -> None:
    assert read_mode({"mode": str(name)}, 0) == Mode(name, 5.0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (None, "The body must be a JSON object"),
        ({}, "The mode must be one of: ok, down, unauthorized, throttle, slow, disconnected, cold-refused."),
        ({"mode": "fast"}, "The mode must be one of"),
        ({"mode": ["ok"]}, "The mode must be one of"),
        ({"mode": "slow", "seconds": "1"}, "The seconds must be a number."),
        ({"mode": "slow", "seconds": True}, "The seconds must be a number."),
        ({"mode": "slow", "seconds": float("nan")}, "The seconds must be between"),
        ({"mode": "slow", "seconds": -1}, "The seconds must be between 0 and 3600."),
        ({"mode": "slow", "seconds": 10**400}, "The seconds must be between 0 and 3600."),
        ({"mode": "ok", "for": -1}, '"for" must be between 0 and 2592000.'),
        ({"mode": "ok", "for": True}, '"for" must be a number.'),
        ({"mode": "ok", "second": 1}, "Unknown: second."),
    ],
)
def test_wrong_mode_is_explained(fields: object, sentence: str) -> None:
    found = read_mode(fields, 0)

    assert isinstance(found, str)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("body", "content_type", "fields"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b"a=1&b=%2B62", "application/x-www-form-urlencoded; charset=utf-8", {"a": "1", "b": "+62"}),
        (b"\xff", "application/x-www-form-urlencoded", None),
        (b"{", "application/json", None),
        (b"", "application/json", None),
        (b"[" * 100_000, "application/json", None),
    ],
)
def test_bodies_are_json_or_forms(body: bytes, content_type: str, fields: object) -> None:
    assert decode_fields(body, content_type) == fields


@given(fields=anything | st.dictionaries(st.sampled_from([*FIELDS, "full", "mode", "seconds"]), anything))
def test_no_request_is_a_surprise(fields: object) -> None:
    assert isinstance(read_submission(fields), Submission | Reply)
    assert isinstance(check_number(fields, Mode()), Reply)
    assert isinstance(read_mode(fields, 0), Mode | str)
    assert isinstance(read_inbound(fields), Inbound | str)


@given(
    ending=st.sampled_from([f"90{last:02}" for last in range(20)]),
    mode=st.sampled_from(list(ModeName)),
    earlier=st.integers(0, 5),
)
def test_every_decision_is_named_for_the_list(ending: str, mode: str, earlier: int) -> None:
    assert decided(ending, mode, earlier).answered
