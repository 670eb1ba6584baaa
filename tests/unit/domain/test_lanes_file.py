import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antrian.domain.errors import SettingsError, UnknownLane
from antrian.domain.lane import Lane, Lanes, lane_changes
from antrian.domain.lane_limits import Limits, WarmUp, Window, parse_windows
from antrian.domain.lanes_file import LaneDefaults, parse_lanes
from antrian.domain.priority import Priority
from antrian.domain.settings import load_settings

SOUND = """
[lanes.default]
provider = "mpwa"
url = "https://panel.example.org/"
sender = "628114040707"
key_file = "mpwa.key"
delay = 0.5
jitter = 5
max_attempts = 2
preset = "new-number"
daily_cap = 300
hourly_cap = 0
warm_up = "10x2..40"
window = { normal = "06:00-22:00", low = "08:00-20:00" }
timezone = "Asia/Makassar"

[lanes.test]
provider = "sandbox"
options = { dialect = "fonnte", retries = 2, strict = true }
webhook_secrets = ["old", "new"]
"""


def lanes(text: str | bytes, *, secrets: dict[str, str] | None = None, **defaults: float) -> Lanes:
    def read(path: str) -> str:
        if path not in (secrets or {}):
            raise FileNotFoundError(2, "No such file or directory", path)
        return (secrets or {})[path]

    content = text if isinstance(text, bytes) else text.encode()
    return parse_lanes(content, LaneDefaults(**defaults), read_secret=read)  # type: ignore[arg-type]


def faults(text: str | bytes) -> str:
    with pytest.raises(SettingsError) as caught:
        lanes(text)
    return str(caught.value)


def test_a_sound_file_gives_every_lane_what_it_says() -> None:
    found = lanes(SOUND, secrets={"mpwa.key": " geheim\n"}, delay=10)

    default, test = found.values()
    assert (default.name, default.provider, default.url) == ("default", "mpwa", "https://panel.example.org")
    assert default.key is not None
    assert default.key.get_secret_value() == "geheim"
    assert (default.delay, default.jitter, default.max_attempts) == (0.5, 5, 2)
    limits = default.limits
    assert (limits.daily_cap, limits.hourly_cap, limits.cold_daily_cap, limits.recipient_gap) == (300, 0, 20, 60)
    assert limits.warm_up == WarmUp(10, 2, 40)
    assert limits.windows == (Window(Priority.LOW, 480, 1200), Window(Priority.NORMAL, 360, 1320))
    assert limits.timezone == "Asia/Makassar"
    assert default.limits.set_ones == ("daily_cap", "cold_daily_cap", "warm_up", "recipient_gap", "window")
    assert (test.delay, test.is_sandbox, test.uses_own_sandbox) == (10, True, True)
    assert test.options == (("dialect", "fonnte"), ("retries", "2"), ("strict", "true"))
    assert test.not_kept == ()


def test_one_message_names_every_fault_with_its_lane_and_key() -> None:
    text = faults("""
        [lanes.a]
        provider = "mwpa"
        delai = 3
        daily_cap = -1
        hourly_cap = 1.5
        warm_up = "20x0.9..100"
        window = { low = "20:00-20:00" }
        timezone = "Asia/Jakart"
        preset = "new-numbr"
        jitter = nan
        options = { deep = { er = 1 } }
        webhook_secrets = "one"
        [lanes.b]
        provider = "mpwa"
        sender = "+62 811"
        key = "a"
        key_file = "b"
        url = "panel.example.org"
        window = { lwo = "08:00-20:00" }
        delay = 9999
        [lanes.c]
        channel = "email"
        [lanes."x y"]
        [lane.d]
    """)

    for line in (
        "[lanes.a] provider: 'mwpa' is not known; did you mean mpwa?",
        "[lanes.a] delai: is not known; did you mean delay?",
        "[lanes.a] daily_cap: must be a whole number from 0 to 1000000 (given: -1)",
        "[lanes.a] hourly_cap: must be a whole number",
        "[lanes.a] warm_up: must not fall",
        "[lanes.a] window: low: 20:00-20:00 is empty",
        "[lanes.a] timezone: is not a time zone, such as Asia/Jakarta; did you mean Asia/Jakarta?",
        "[lanes.a] preset: must be one of: none, new-number, settled; did you mean new-number?",
        "[lanes.a] jitter: must be a number",
        "[lanes.a] options: must hold texts or numbers; not so: deep",
        "[lanes.a] webhook_secrets: must be a list of texts",
        "[lanes.b] sender: must be a text without spaces",
        "[lanes.b] key: is given twice",
        "[lanes.b] url: must be http:// or https://",
        "[lanes.b] window: 'lwo' is not a priority",
        "[lanes.b] delay: delay + jitter must not be more than 1800 s",
        "[lanes.c] channel: must be one of: whatsapp",
        "[lanes.c] provider: is missing",
        "[lanes.x y]: a lane's name is",
        "lane: is not known; did you mean lanes?",
    ):
        assert f"\n  {line}" in text


def test_options_that_a_provider_needs_and_what_they_must_be() -> None:
    text = faults("""
        [lanes.a]
        provider = "meta_cloud"
        key = "a"
        sender = "1"
        [lanes.b]
        provider = "meta_cloud"
        sender = "2"
        options = { phone_number_id = "geheim", api_version = 25, templat = "x" }
        [lanes.c]
        provider = "meta_cloud"
        key = "a"
        sender = "3"
        options = { phone_number_id = 1066 }
        [lanes.d]
        provider = "meta_cloud"
        key = "a"
        sender = "4"
        options = { phone_number_id = "1066" }
    """)

    for line in (
        "[lanes.a] options: phone_number_id is missing; the provider meta_cloud needs it",
        "[lanes.b] key (or key_file): is missing; the provider meta_cloud needs it",
        "[lanes.b] options: phone_number_id must be digits",
        "[lanes.b] options: api_version must be like v25.0",
        "[lanes.b] options: meta_cloud has no option templat; did you mean template",
        "[lanes.d] options: phone_number_id is also the one of lane c: two lanes of one sender would break its pace",
    ):
        assert f"\n  {line}" in text
    assert "geheim" not in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a = ", "is not TOML: Invalid value (at end of document)"),
        ("[lanes.a]\n[lanes.a]", "is not TOML: Cannot declare ('lanes', 'a') twice (at line 2"),
        (b"\n\n# \xff", "is not UTF-8 (at line 3)"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("a = " + "9" * 5_000, "is not TOML"),
        ("", "there is no lane"),
        ("lanes = 3", "lanes: must be tables"),
        ("[lanes]\ndelay = 3", "lanes.delay: must be a table"),
        (b"#" * 5_000_000, "is larger than 4 MiB"),
    ],
)
def test_what_is_no_file_of_lanes_at_all_is_said_in_one_sentence(content: str | bytes, reason: str) -> None:
    assert reason in faults(content)


def lane_with_sender(name: str, sender: str, rest: str = 'provider = "sandbox"') -> str:
    return f'[lanes.{name}]\nsender = "{sender}"\n{rest}\n'


@pytest.mark.parametrize("other", ["628114040707", "+628114040707", "whatsapp:+628114040707", "+62-811-4040-707"])
def test_two_lanes_of_one_number_are_refused_however_it_is_written(other: str) -> None:
    text = faults(lane_with_sender("a", "628114040707") + lane_with_sender("b", other))

    assert "[lanes.b] sender: is also the one of lane a: two lanes of one sender would break its pace" in text


def test_a_providers_own_name_for_a_sender_may_be_used_again_at_another_address() -> None:
    def at(url: str) -> str:
        return f'provider = "sandbox"\nurl = "http://{url}"'

    assert len(lanes(lane_with_sender("a", "main", at("one")) + lane_with_sender("b", "main", at("two")))) == 2
    assert "lane a" in faults(lane_with_sender("a", "main", at("one")) + lane_with_sender("b", "Main", at("one")))


def test_no_secret_is_ever_printed() -> None:
    text = faults("""
        [lanes.a]
        provider = "mpwa"
        key = "geheim-1"
        api_key = "geheim-2"
        sender = "geheim 3"
        url = "https://geheim-4@host"
        webhook_secrets = ["geheim-5", 3]
        options = { token = "geheim-6" }
        delay = "geheim-7"
        timezone = "geheim-8"
        warm_up = "geheim-9"
        preset = "geheim-10"
    """)

    assert "geheim" not in text
    assert "geheim" not in repr(
        lanes('[lanes.a]\nprovider = "sandbox"\nkey = "geheim"\noptions = { token = "geheim" }')
    )


def test_a_secret_that_cannot_be_read_stops_only_who_must_send() -> None:
    found = lanes('[lanes.a]\nprovider="mpwa"\nurl="http://p"\nsender="628111111"\nkey_file="gone"')

    assert found["a"].missing == ("[lanes.a] key_file: cannot be read: No such file or directory",)
    assert "[lanes.a] key_file: cannot be read" in faults('[lanes.a]\nprovider="mpwa"\nkey_file="gone"')


def test_a_secrets_file_may_hold_several_one_on_each_line() -> None:
    found = lanes('[lanes.a]\nprovider="sandbox"\nwebhook_secrets_file="w"', secrets={"w": "one\n\n two \n"})

    assert [secret.get_secret_value() for secret in found["a"].webhook_secrets] == ["one", "two"]


_KEYS = st.sampled_from(["provider", "sender", "delay", "window", "warm_up", "timezone", "options", "key", "key_file",
                         "url", "preset", "daily_cap", "webhook_secrets", "channel", "max_attempts"]) | st.text(
    string.ascii_letters, min_size=1, max_size=20)  # fmt: skip
_VALUES = st.sampled_from(
    ['"x"', "3", "-1", "1e400", "nan", "-inf", "true", "[]", '["a"]', "{}", '{ low = "08:00-20:00" }', "1979-05-27",
     "07:32:00", '"mpwa"', '"sandbox"', '"20x1..3"', '"../../etc/passwd"', '"\\u0000"', "9" * 400, '"http://[::1"',
     '"http://a:b"', '{ low = "99:99-00:00" }', "'''\n'''", '"' + "a" * 300 + '"']
)  # fmt: skip
_TABLES = st.lists(st.tuples(_KEYS, _VALUES), max_size=8).map(
    lambda pairs: "\n".join(f"{key} = {value}" for key, value in dict(pairs).items())
)


@given(st.lists(_TABLES, max_size=3).map(lambda tables: "\n".join(f"[lanes.l{i}]\n{t}" for i, t in enumerate(tables))))
@example('[lanes.a]\nprovider = "sandbox"\ndaily_cap = ' + "9" * 400)
@example('[lanes.""]')
def test_whatever_toml_says_only_the_one_error_is_raised(text: str) -> None:
    try:
        found = lanes(text)
    except SettingsError:
        return
    assert all(lane.delay >= 0 for lane in found.values())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_the_file_holds_only_the_one_error_is_raised(content: bytes) -> None:
    with pytest.raises(SettingsError):
        lanes(content)


def test_one_rule_says_which_lane_is_meant() -> None:
    one, two = Lanes([Lane(name="a")]), Lanes([Lane(name="a"), Lane(name="b")])

    assert one.meant_by(None).name == "a"
    assert two.meant_by("b").name == "b"
    assert two.shown_by(None).name == "a"
    with pytest.raises(UnknownLane, match="several lanes; name one of them: a, b"):
        two.meant_by(None)
    with pytest.raises(UnknownLane, match="no lane 'c'; the lanes are: a, b"):
        two.shown_by("c")


def test_changes_name_what_is_new_different_and_gone_and_senders_that_would_change_lanes() -> None:
    before = {"a": Lane(name="a", sender="1"), "b": Lane(name="b", sender="2"), "c": Lane(name="c", sender="3")}
    after = {"a": Lane(name="a", sender="1"), "b": Lane(name="b", sender="2", delay=1), "d": Lane(name="d", sender="4")}

    changes = lane_changes(before, after)

    assert (changes.added, changes.changed, changes.removed, changes.moved_senders) == (("d",), ("b",), ("c",), ())
    assert lane_changes(before, {"a": Lane(name="a", sender="2"), "b": Lane(name="b", sender="1")}).moved_senders
    assert lane_changes(before, {"d": Lane(name="d", sender="3")}).moved_senders


def test_windows_may_pass_midnight_and_never_be_empty_or_longer_than_a_day() -> None:
    assert str(parse_windows("low=22:00-06:00,high=00:00-24:00")[0]) == "low=22:00-06:00"
    for wrong in ("low=08:00-08:00", "low=08:00-25:00", "low=24:00-08:00", "low=8-20", "low", "low=1:00-2:60", ""):
        with pytest.raises(ValueError, match=r"low|must"):
            parse_windows(wrong)
    with pytest.raises(ValueError, match=r"^urgent: urgent messages pass every window; leave it out$"):
        parse_windows("low=08:00-20:00,urgent=08:00-20:00")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("WINDOW", "low=08:00-08:00", "low: 08:00-08:00 is empty; leave it out for always"),
        ("WINDOW", "low=08:00-25:00", "low: 08:00-25:00 is over 24 h: the day's times are 00:00 to 24:00"),
        ("WINDOW", "lo=08:00-20:00", "'lo' is not a priority; they are: low, normal, high"),
        ("WINDOW", "low=08:00-20:00,low=09:00-10:00", "names a priority twice"),
        ("DAILY_CAP", "-1", "input should be greater than or equal to 0"),
        ("HOURLY_CAP", "1.5", "input should be a valid integer"),
        ("COLD_DAILY_CAP", "9999999", "input should be less than or equal to 1000000"),
        ("WARM_UP", "20x0.5..100", "must not fall: the factor is at least 1"),
        ("WARM_UP", "20x1.5..10", "must not fall: the factor is at least 1"),
        ("WARM_UP", "0x1.5..10", "must begin with 1 or more"),
        ("WARM_UP", "20x1.5..9999999", "must begin with 1 or more and end with 1000000 or less"),
        ("WARM_UP", "fast", "must be like 20x1.5..100"),
        ("RECIPIENT_GAP", "-3", "input should be greater than or equal to 0"),
        ("TIMEZONE", "Asia/Jakart", "is not a time zone, such as Asia/Jakarta; did you mean Asia/Jakarta?"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_one_sentence(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"WHATSAPP_QUEUE_{variable}": value})
    lines = str(refused.value).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"  WHATSAPP_QUEUE_{variable}: {sentence}")
    assert lines[1].endswith(f"(given: {value!r})")


def test_a_cold_cap_that_is_set_replaces_the_ramp_of_a_preset_and_a_ramp_replaces_the_cap() -> None:
    def limits(**more: str) -> Limits:
        variables = {f"WHATSAPP_QUEUE_{name.upper()}": value for name, value in more.items()}
        (lane,) = load_settings(variables).lanes.values()
        table = "\n".join(f"{name} = {value if value.isdecimal() else repr(value)}" for name, value in more.items())
        (of_file,) = lanes(f'[lanes.default]\nprovider = "sandbox"\n{table}').values()
        assert of_file.limits == lane.limits
        return lane.limits

    assert limits(preset="new-number").warm_up == WarmUp(20, 1.5, 100)
    assert limits(preset="new-number", cold_daily_cap="50").warm_up is None
    assert limits(preset="new-number", cold_daily_cap="50", warm_up="5x2..50").warm_up == WarmUp(5, 2, 50)
    assert limits(timezone="wita").timezone == "Asia/Makassar"


def test_the_variables_describe_the_lanes_where_there_is_no_file() -> None:
    settings = load_settings(
        {
            "WHATSAPP_QUEUE_LANES": "default,promo=628222222222",
            "WHATSAPP_SENDER": "628111111111",
            "WHATSAPP_QUEUE_DELAY": "3",
            "WHATSAPP_QUEUE_PRESET": "settled",
            "WHATSAPP_QUEUE_COLD_DAILY_CAP": "0",
            "WHATSAPP_QUEUE_WINDOW": "low=08:00-20:00",
            "WHATSAPP_PROVIDER_OPTIONS": "a=b, c=d=e",
        }
    )

    default, promo = settings.lanes.values()
    assert (default.sender, promo.sender, promo.delay) == ("628111111111", "628222222222", 3)
    assert promo.options == (("a", "b"), ("c", "d=e"))
    assert promo.limits.set_ones == ("daily_cap", "recipient_gap", "window")
    assert promo.missing == ("WHATSAPP_PROVIDER is mpwa, which also needs: WHATSAPP_API_URL, WHATSAPP_API_KEY",)


def test_the_file_is_read_with_the_settings_and_its_secrets_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mpwa.key").write_text("geheim\n")
    path = tmp_path / "lanes.toml"
    path.write_text(SOUND)

    settings = load_settings({"WHATSAPP_QUEUE_LANES_FILE": str(path), "WHATSAPP_QUEUE_DELAY": "7"})

    assert settings.lanes.names == ("default", "test")
    assert settings.lanes["test"].delay == 7
    assert settings.lanes["default"].missing == ()
    assert settings.lanes.digest
    path.write_text("[lanes.other]\nprovider = 'sandbox'")
    assert settings.lanes.names == ("default", "test")
    assert settings.with_lanes_read_again().lanes.names == ("other",)
    path.write_text("[lanes.other]\nprovider = 3")
    with pytest.raises(SettingsError, match=r"\[lanes.other\] provider: must be a name"):
        settings.with_lanes_read_again()
    with pytest.raises(SettingsError, match=r"(?s)WHATSAPP_QUEUE_DELAY.*\[lanes.other\] provider"):
        load_settings({"WHATSAPP_QUEUE_LANES_FILE": str(path), "WHATSAPP_QUEUE_DELAY": "soon"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHATSAPP_QUEUE_WARM_UP", "20x0.5..10"),
        ("WHATSAPP_QUEUE_WINDOW", "low=8-20"),
        ("WHATSAPP_QUEUE_TIMEZONE", "Mars/Olympus"),
        ("WHATSAPP_QUEUE_DAILY_CAP", "-1"),
        ("WHATSAPP_QUEUE_PRESET", "old"),
        ("WHATSAPP_PROVIDER_OPTIONS", "a"),
        ("WHATSAPP_QUEUE_LANES_FILE", "/nowhere/lanes.toml"),
    ],
)
def test_a_wrong_limit_in_a_variable_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings({variable: value})


def test_a_copy_of_the_settings_with_other_variables_has_other_lanes() -> None:
    settings = load_settings({"WHATSAPP_QUEUE_DELAY": "3"})
    assert settings.lanes is settings.lanes

    copied = settings.model_copy(update={"whatsapp_queue_delay": 5.0})

    assert (settings.lanes.first.delay, copied.lanes.first.delay) == (3, 5)


@pytest.mark.parametrize(
    ("said", "of_the_variables", "jitter"),
    [("", None, 8.0), ("jitter = 0", None, 0.0), ("", 2.0, 2.0), ("jitter = 3", 2.0, 3.0)],
)
def test_preset_gives_the_jitter_that_nobody_set(said: str, of_the_variables: float | None, jitter: float) -> None:
    given = {} if of_the_variables is None else {"jitter": of_the_variables}
    found = lanes(f'[lanes.a]\nprovider = "sandbox"\npreset = "new-number"\n{said}', **given)["a"]

    assert found.jitter == jitter
    assert [str(window) for window in found.limits.windows] == ["low=08:00-20:00"]


def test_preset_of_the_variables_gives_the_jitter_too() -> None:
    preset = {"WHATSAPP_QUEUE_PRESET": "settled"}

    assert load_settings(preset).lanes.first.jitter == 5
    assert load_settings(preset | {"WHATSAPP_QUEUE_JITTER": "0"}).lanes.first.jitter == 0
    assert load_settings({}).lanes.first.jitter == 0
