"""What the doctor makes of the facts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from factories import make_settings

from antrian.broker.definitions import ROLES
from antrian.broker.topology import topology
from antrian.broker.topology_sync import SyncStatus as Drift
from antrian.broker.topology_sync import TopologyDifference
from antrian.doctor import alarm, broker_node, clock, history, lane, machine, management, permissions, provider
from antrian.doctor import settings as settings_check
from antrian.doctor import topology as topology_check
from antrian.doctor.finding import Finding, Severity
from antrian.doctor.history import HistoryFacts, JournalStart
from antrian.doctor.machine import PrivatePath, TokenFacts
from antrian.doctor.management import ManagementFacts, Node
from antrian.doctor.permissions import Need
from antrian.doctor.provider import ProviderFacts
from antrian.history.records import MessageState as Where
from antrian.history.records import Position
from antrian.operations.dead_letters.retention_alarm import RetentionAlarm
from antrian.operations.lane.status import Reason, Status

NOW = 1_800_000_000.0
DAY = 86_400.0

STATUS = Status(
    lane="default",
    at=NOW,
    queue_length=3,
    is_processing=False,
    failed_messages=2,
    estimated_time=30,
    waiting=3,
    in_flight=0,
    retrying=0,
    scheduled=0,
    consumers=2,
    running=True,
    paused=False,
    paused_by=None,
    paused_at=None,
    last_sent_at=NOW - 60,
    next_send_in=0,
    next_send_reason=Reason.DUE,
)

HISTORY = HistoryFacts(
    exists=True,
    position=Position(0, 99, NOW, NOW, 100, ()),
    counts={Where.WAITING: 3, Where.DEAD: 2},
    near=None,
    behind=0.5,
)


def states(findings) -> list[Severity]:
    return [one.state for one in findings]


def one_of(findings, state: Severity) -> Finding:
    """The only finding in that state."""
    [found] = [one for one in findings if one.state is state]
    assert found.todo
    assert found.todo.endswith(".")
    return found


# Settings


def test_the_defaults_are_not_suspicious():
    assert states(settings_check.check(make_settings())) == [Severity.OK]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WHATSAPP_QUEUE_DELAY": "2"}, "WHATSAPP_QUEUE_DELAY is 2 s"),
        ({"WHATSAPP_QUEUE_JITTER": "11"}, "pauses are mostly random"),
        ({"WHATSAPP_QUEUE_TIMEOUT_MINUTES": "45"}, "consumer_timeout"),
        ({"WHATSAPP_QUEUE_RETENTION_DAYS": "1", "WHATSAPP_QUEUE_DEDUPE_HOURS": "48"}, "keys outlive their messages"),
        ({"WHATSAPP_QUEUE_MAX_ATTEMPTS": "1"}, "every temporary failure"),
        ({"WHATSAPP_QUEUE_HEARTBEAT": "60"}, "a standby takes over that much later"),
        ({"WHATSAPP_API_URL": "http://gateway.example/"}, "key and messages can be read"),
        ({"AMQP_URL": "amqp://u:p@rabbit.example/"}, "password and messages can be read"),
        ({"ADMIN_HOST": "10.0.0.1"}, "to the network, without TLS"),
        ({"ADMIN_HOST": "::"}, "to the network, without TLS"),
    ],
)
def test_what_is_allowed_and_probably_not_meant_is_a_warning(variables, words):
    assert words in one_of(settings_check.check(make_settings(**variables)), Severity.WARNING).found


def test_no_pause_at_all_with_a_real_provider_is_a_problem():
    assert one_of(settings_check.check(make_settings(WHATSAPP_QUEUE_DELAY="0")), Severity.PROBLEM)


def test_the_sandbox_may_be_as_fast_as_it_likes_and_is_named():
    [found] = settings_check.check(make_settings(WHATSAPP_QUEUE_DELAY="0", WHATSAPP_PROVIDER="sandbox"))
    assert (found.state, "nothing reaches WhatsApp" in found.found) == (Severity.OK, True)


@pytest.mark.parametrize(
    "variables",
    [
        {"AMQP_URL": "amqp://u:p@localhost/,amqp://u:p@127.0.0.2/,amqp://u:p@[::1]/"},
        {"AMQP_URL": "amqps://u:p@rabbit.example/"},
        {"WHATSAPP_API_URL": "http://127.0.0.1:8089"},
        {"WHATSAPP_API_URL": "https://gateway.example"},
        {"ADMIN_HOST": "::1"},
    ],
)
def test_what_stays_on_this_machine_or_is_encrypted_is_not_suspicious(variables):
    assert states(settings_check.check(make_settings(**variables))) == [Severity.OK]


# The broker


@pytest.mark.parametrize(
    ("version", "kind", "state"),
    [
        ("3.8.9", "classic", Severity.PROBLEM),
        ("3.10.8", "classic", Severity.WARNING),
        ("4.3.6", "classic", Severity.OK),
        ("4.2.0", "quorum", Severity.PROBLEM),
        ("4.3.0-rc.1", "quorum", Severity.OK),
        ("4.10.0", "quorum", Severity.OK),
        ("unknown", "classic", Severity.PROBLEM),
    ],
)
def test_the_brokers_version_must_be_enough_for_what_the_settings_ask(version, kind, state):
    wanted = topology(make_settings(WHATSAPP_QUEUE_TYPE=kind))
    assert broker_node.check_version(version, wanted).state is state


def test_one_silent_node_of_a_cluster_is_a_warning_and_all_of_them_a_problem():
    answering = ("amqp://u:secret@127.0.0.1:5672/",)
    found = list(broker_node.check_answers(broker_node.Doorbells(answering, ("no broker answers at b:5672",))))
    assert states(found) == [Severity.OK, Severity.WARNING]
    assert "secret" not in found[0].found
    assert states(broker_node.check_answers(broker_node.Doorbells((), ("no",)))) == [Severity.PROBLEM]


def test_an_alarm_leads_to_its_runbook():
    assert alarm.check(None).state is Severity.OK
    assert "AntrianBrokerMemoryAlarm.md" in alarm.check("low on memory").todo
    assert "AntrianBrokerDiskAlarm.md" in alarm.check("low on disk").todo


def test_every_changed_object_is_a_problem_of_its_own_with_its_migration():
    changed = TopologyDifference("queue", "wa.lane.default", Drift.CHANGED, "x-max-priority", "10", "none")
    found = one_of(
        topology_check.check([changed, TopologyDifference("queue", "wa.dead", Drift.SAME)]), Severity.PROBLEM
    )
    assert found.found == "Queue wa.lane.default: x-max-priority is none in the broker, and should be 10."
    assert "--replace wa.lane.default" in found.todo


def test_missing_objects_are_named_a_few_and_counted_the_rest():
    found = topology_check.check([TopologyDifference("queue", f"q{number}", Drift.MISSING) for number in range(5)])
    assert one_of(found, Severity.PROBLEM).found == "The broker lacks q0, q1, q2 and 2 more."


def test_what_this_user_may_not_compare_is_said_and_is_no_problem():
    found = list(
        topology_check.check(
            [TopologyDifference("queue", "q", Drift.UNCHECKED), TopologyDifference("queue", "p", Drift.SAME)]
        )
    )
    assert states(found) == [Severity.OK]
    assert "may not compare 1 objects" in found[0].found


# Permissions


def test_needs_come_from_the_rights_of_the_role():
    wanted, lanes = topology(make_settings()), ("default",)
    needed = {role: {(need.deed, need.name) for need in permissions.needs(role, wanted, lanes)} for role in ROLES}
    assert needed["publisher"] == {
        ("publish to", "wa.messages"),
        ("publish to", "wa.scheduled"),
        ("publish to", "wa.urgent"),
        ("hear", "wa.events"),
    }
    assert needed["consumer"] >= {("read", "wa.lane.default"), ("publish to", "wa.delay.00"), ("hear", "wa.control")}
    assert needed["admin"] >= {("read", "wa.journal"), ("read", "wa.delay.00"), ("publish to", "wa.state")}


def test_a_user_must_be_able_to_do_the_role_that_was_asked_for_or_else_any():
    missing = (Need("read", "wa.lane.default"), Need("publish to", "wa.dead"))
    lacking = {"publisher": (), "consumer": missing}
    assert permissions.check(lacking, None).state is Severity.OK
    found = permissions.check(lacking, "consumer")
    assert found.state is Severity.PROBLEM
    assert "read wa.lane.default; publish to wa.dead" in found.found


def test_a_user_who_can_do_nothing_is_told_what_is_nearest():
    need = Need("read", "q")
    assert "what a publisher needs" in permissions.check({"publisher": (need,), "admin": (need, need)}, None).found


# Lanes


def test_a_lane_with_a_standby_is_well():
    assert states(lane.check(STATUS)) == [Severity.OK]


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"consumers": 1}, Severity.WARNING, "there is no standby"),
        ({"consumers": 0, "running": False}, Severity.PROBLEM, "No consumer serves lane default, and 3 messages wait"),
        ({"paused": True, "paused_by": "cli:ani", "paused_at": NOW - 7200}, Severity.WARNING, "by cli:ani 2 h ago"),
        ({"next_send_reason": Reason.UNAVAILABLE}, Severity.PROBLEM, "the provider cannot be reached"),
        ({"next_send_reason": Reason.THROTTLED, "next_send_in": 90}, Severity.WARNING, "is on hold for 90 s"),
    ],
)
def test_what_keeps_a_lane_from_sending_is_said(changes, state, words):
    assert words in one_of(lane.check(replace(STATUS, **changes)), state).found


def test_a_consumer_that_waits_is_not_missed():
    found = list(lane.check(replace(STATUS, consumers=0, next_send_reason=Reason.NOTHING_WAITS)))
    assert states(found) == [Severity.OK]


# Provider


def test_a_provider_that_answers_anything_is_reachable():
    assert states(provider.check(ProviderFacts("mpwa", "gateway.example:443", "", 404))) == [Severity.OK]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (ProviderFacts("mpwa", "x:443", "the provider's host name cannot be resolved"), Severity.PROBLEM),
        (ProviderFacts("mpwa", "x:443", "", 503), Severity.WARNING),
        (ProviderFacts("mpwa", "x:443", "", 200, certificate_ends_in=3 * DAY), Severity.WARNING),
    ],
)
def test_a_provider_in_trouble_is_told(facts, state):
    one_of(provider.check(facts), state)


def test_a_provider_without_its_settings_is_a_problem():
    found = provider.check_settings(make_settings())
    assert found is not None
    assert "WHATSAPP_API_KEY" in found.found
    assert provider.check_settings(make_settings(WHATSAPP_PROVIDER="sandbox")) is None


def test_a_date_header_is_read_to_the_second():
    now = datetime(2026, 1, 31, 10, 0, 10, 400_000, UTC)
    assert provider.seconds_ahead("Sat, 31 Jan 2026 10:00:10 GMT", now) == 0
    assert provider.seconds_ahead("Sat, 31 Jan 2026 10:00:00 GMT", now) == pytest.approx(9.4)
    assert provider.seconds_ahead("Sat, 31 Jan 2026 10:00:20 GMT", now) == pytest.approx(-9.6)
    assert provider.seconds_ahead("yesterday", now) is None
    assert provider.seconds_ahead(None, now) is None


# The clock


@pytest.mark.parametrize(
    ("ahead", "jumped", "expected"),
    [
        ({"the provider's": 0.1}, 0.0, [Severity.OK]),
        ({}, 0.0, [Severity.OK]),
        ({"the provider's": None}, 0.0, [Severity.OK]),
        ({"the provider's": 3.0}, 0.0, [Severity.WARNING]),
        ({"the provider's": -60.0}, 0.0, [Severity.PROBLEM]),
        ({"the provider's": 0.0, "the broker's": 12.0}, 0.0, [Severity.PROBLEM]),
        ({"the provider's": 0.0}, -5.0, [Severity.WARNING]),
    ],
)
def test_clocks_that_differ_by_a_pause_are_a_problem_and_by_less_a_warning(ahead, jumped, expected):
    assert states(clock.check(ahead, jumped, delay=10)) == expected


def test_a_clock_that_runs_evenly_does_not_jump():
    # It reads two clocks, between which the machine may do something else once.
    assert min(abs(clock.JumpWatch().jumped()) for _ in range(5)) < 0.1


# History and journal


def test_a_history_that_is_up_to_date_and_agrees_is_well():
    assert states(history.check(HISTORY)) == [Severity.OK]
    assert states(history.check_difference(HISTORY, [STATUS])) == [Severity.OK]
    assert history.check_dead(None).state is Severity.OK


def test_no_history_on_this_machine_is_no_fault():
    nothing = replace(HISTORY, exists=False)
    assert states(history.check(nothing)) == [Severity.OK]
    assert states(history.check_difference(nothing, [STATUS])) == []


@pytest.mark.parametrize(("behind", "words"), [(300.0, "is 5 min behind"), (None, "was never complete")])
def test_a_history_that_is_behind_is_not_compared(behind, words):
    late = replace(HISTORY, behind=behind)
    assert words in one_of(history.check(late), Severity.WARNING).found
    assert states(history.check_difference(late, [STATUS])) == []


def test_a_gap_is_said():
    gap = replace(HISTORY, position=replace(HISTORY.position, gaps=("entries 5 to 9 are missing",)))
    assert "entries 5 to 9" in one_of(history.check(gap), Severity.WARNING).found


def test_other_counts_in_broker_and_history_are_a_warning():
    found = one_of(history.check_difference(HISTORY, [replace(STATUS, waiting=4)]), Severity.WARNING)
    assert "counts 4 waiting and 2 dead letters, the history 3 and 2" in found.found


def test_dead_letters_that_will_be_forgotten_are_counted():
    found = history.check_dead(RetentionAlarm(7, NOW - 29 * DAY, DAY))
    assert (
        found.state,
        "7 dead letters will soon be older than the journal keeps, the first in 24 h" in found.found,
    ) == (Severity.WARNING, True)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (JournalStart(0, 3 * DAY), [Severity.OK]),
        (JournalStart(-1, None), [Severity.OK]),
        (JournalStart(101, DAY), [Severity.OK]),
        (JournalStart(5000, DAY), [Severity.OK, Severity.PROBLEM]),
    ],
)
def test_a_journal_that_dropped_what_the_history_never_read_is_a_problem(start, expected):
    assert states(history.check_journal(start, HISTORY, make_settings())) == expected


# This machine


@pytest.mark.parametrize(
    ("mode", "state"),
    [(0o600, Severity.OK), (0o640, Severity.WARNING), (0o604, Severity.WARNING), (0o602, Severity.PROBLEM)],
)
def test_private_files_belong_to_their_owner_alone(tmp_path, mode, state):
    assert states(machine.check_files([PrivatePath(tmp_path / "tokens.toml", mode)])) == [state]


@pytest.mark.parametrize(
    ("tokens", "trouble", "state"),
    [(2, "", Severity.OK), (0, "", Severity.WARNING), (None, "it is damaged", Severity.PROBLEM)],
)
def test_somebody_must_be_able_to_log_in(tmp_path, tokens, trouble, state):
    assert machine.check_tokens(TokenFacts(tmp_path / "tokens.toml", tokens, trouble)).state is state


@pytest.mark.parametrize(("free", "state"), [(50e9, Severity.OK), (1e9, Severity.WARNING), (1e8, Severity.PROBLEM)])
def test_a_full_disk_is_told_before_it_is_full(tmp_path, free, state):
    assert machine.check_disk(tmp_path, int(free)).state is state


def test_a_home_that_is_not_there_yet_is_looked_for_where_it_will_be(tmp_path):
    settings = make_settings(ANTRIAN_HOME=str(tmp_path / "not" / "yet"))
    assert machine.look_at_disk(settings)[1] > 0
    assert machine.look_at_files(settings) == []
    assert machine.look_at_tokens(settings).count == 0


def test_what_lies_on_this_machine_is_looked_at(tmp_path):
    settings = make_settings(ANTRIAN_HOME=str(tmp_path))
    (tmp_path / "tokens.toml").write_text("oops")
    (tmp_path / "session.key").touch(mode=0o600)
    assert {one.path.name for one in machine.look_at_files(settings)} == {"tokens.toml", "session.key"}
    assert "damaged" in machine.look_at_tokens(settings).trouble


# The management API


NODE = Node("rabbit@a", is_running=True, has_alarm=False, disk_free=50 * 10**9, disk_limit=10**9)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ManagementFacts(nodes=(NODE,)), [Severity.OK]),
        (ManagementFacts(nodes=(NODE, replace(NODE, is_running=False))), [Severity.PROBLEM]),
        (ManagementFacts(nodes=(replace(NODE, has_alarm=True),)), [Severity.PROBLEM]),
        (ManagementFacts(nodes=(replace(NODE, disk_free=10**9),)), [Severity.WARNING, Severity.OK]),
        (ManagementFacts(nodes=(NODE,), deprecated=("transient_nonexcl_queues",)), [Severity.WARNING]),
        (ManagementFacts("it answers with HTTP 401"), [Severity.WARNING]),
    ],
)
def test_nodes_and_features_are_judged(facts, expected):
    assert states(management.check(facts)) == expected


def test_an_address_where_nobody_speaks_the_api_is_told_without_the_password():
    facts = management.look("http://127.0.0.1:1", "amqp://u:secret@127.0.0.1/")
    assert facts.trouble
    assert "secret" not in facts.trouble
