import pytest
from factories import make_settings
from routing import PaperBroker, matches

from antrian.broker.topology import Names, Topology, topology
from antrian.domain.delay_ladder import LADDER_LEVELS

NAMES = Names()
TWO_LANES = "default=628111111,promo=628222222"


def make_topology(**variables: str) -> Topology:
    return topology(make_settings(**{"WHATSAPP_QUEUE_LANES": TWO_LANES} | variables))


def arguments(name: str, **variables: str) -> dict[str, object]:
    return dict(next(queue for queue in make_topology(**variables).queues if queue.name == name).arguments)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("#", "", True),
        ("#", "a.b", True),
        ("*", "a", True),
        ("*", "a.b", False),
        ("a.#", "a", True),
        ("#.a", "b.a", True),
        ("#.a", "b.aa", False),
        ("*.1.#", "0.1.x", True),
        ("*.1.#", "0.0.1", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_the_paper_broker_knows_topic_patterns(pattern: str, key: str, *, expected: bool) -> None:
    assert matches(pattern, key) is expected


@pytest.mark.parametrize("lane", ["default", "promo"])
def test_a_message_goes_to_its_lane_and_to_the_journal(lane: str) -> None:
    assert PaperBroker(make_topology()).queues(NAMES.messages, lane) == {NAMES.lane(lane), NAMES.journal}


@pytest.mark.parametrize("lane", ["", "Default", "defaul", "default.promo", "#", "*", "wa.lane.default"])
def test_a_message_for_an_unknown_lane_goes_nowhere(lane: str) -> None:
    assert PaperBroker(make_topology()).queues(NAMES.messages, lane) == set()


@pytest.mark.parametrize(
    ("exchange", "key", "queues"),
    [
        (NAMES.messages, "urgent.promo", {NAMES.lane("promo"), NAMES.journal}),
        (NAMES.due, "0.0.promo", {NAMES.lane("promo")}),
        (NAMES.dead, "default", {NAMES.dead, NAMES.journal}),
        (NAMES.dead, "", {NAMES.dead, NAMES.journal}),
        (NAMES.events, "outcome.sent.default.m1", {NAMES.journal, NAMES.outcomes}),
        (NAMES.events, "outcome.sent.default.", {NAMES.journal, NAMES.outcomes}),
        (NAMES.events, "lane.paused.default.", {NAMES.journal}),
        (NAMES.control, "", set()),
        (NAMES.urgent, "", set()),
    ],
)
def test_each_kind_of_news_reaches_its_record(exchange: str, key: str, queues: set[str]) -> None:
    assert PaperBroker(make_topology()).queues(exchange, key) == queues


@pytest.mark.parametrize(
    ("exchange", "key"), [(NAMES.urgent, ""), (NAMES.messages, "urgent.promo"), (NAMES.due_urgent, "")]
)
def test_an_urgent_message_reaches_the_consumers(exchange: str, key: str) -> None:
    assert any(
        (binding.source, binding.destination, binding.key, binding.to) == (exchange, NAMES.control, key, "exchange")
        for binding in make_topology().bindings
    )


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_everything_that_is_pointed_at_exists(kind: str) -> None:
    wanted = make_topology(WHATSAPP_QUEUE_TYPE=kind)
    exchanges = {exchange.name for exchange in wanted.exchanges}
    queues = {queue.name for queue in wanted.queues}
    assert {binding.source for binding in wanted.bindings} <= exchanges
    assert {binding.destination for binding in wanted.bindings if binding.to == "queue"} <= queues
    assert {binding.destination for binding in wanted.bindings if binding.to == "exchange"} <= exchanges
    targets = {queue.arguments.get("x-dead-letter-exchange", NAMES.dead) for queue in wanted.queues}
    assert targets <= exchanges
    assert len(exchanges) == len(wanted.exchanges)
    assert len(queues) == len(wanted.queues)
    assert len(set(wanted.bindings)) == len(wanted.bindings)


def test_the_entrances_are_opened_last() -> None:
    order = [binding.source for binding in make_topology().bindings]
    assert order[-1] == NAMES.messages
    inner = [place for place, source in enumerate(order) if source not in {NAMES.messages, NAMES.scheduled}]
    assert order.index(NAMES.messages) > order.index(NAMES.lane("default"))
    assert max(place for place in inner if "lane" not in order[place]) < order.index(NAMES.scheduled)


def test_every_name_carries_the_namespace() -> None:
    wanted = make_topology(WHATSAPP_QUEUE_NAMESPACE="school-7")
    names = [exchange.name for exchange in wanted.exchanges] + [queue.name for queue in wanted.queues]
    assert all(name.startswith("school-7.") for name in names)


def test_a_lane_of_a_single_broker_orders_by_priority_for_one_consumer_at_a_time() -> None:
    assert arguments(NAMES.lane("default")) == {
        "x-queue-type": "classic",
        "x-max-priority": 10,
        "x-single-active-consumer": True,
        "x-dead-letter-exchange": NAMES.dead,
    }


def test_a_lane_of_a_cluster_has_no_argument_that_quorum_queues_refuse() -> None:
    lane = arguments(NAMES.lane("default"), WHATSAPP_QUEUE_TYPE="quorum")
    assert "x-max-priority" not in lane
    assert lane["x-single-active-consumer"] is True
    assert lane["x-delivery-limit"] == -1
    assert lane["x-consumer-disconnected-timeout"] == 2_000
    assert (lane["x-dead-letter-strategy"], lane["x-overflow"]) == ("at-least-once", "reject-publish")


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_the_state_of_a_lane_is_one_message_that_the_next_one_replaces(kind: str) -> None:
    state = arguments(NAMES.state("default"), WHATSAPP_QUEUE_TYPE=kind)
    assert (state["x-max-length"], state["x-overflow"]) == (1, "drop-head")


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize("level", [0, 1, 11, 23])
def test_each_rung_waits_twice_as_long_as_the_one_below(level: int, kind: str) -> None:
    rung = arguments(NAMES.delay(level), WHATSAPP_QUEUE_TYPE=kind)
    assert rung["x-message-ttl"] == 2**level * 1_000
    assert rung["x-dead-letter-exchange"] == (NAMES.delay(level - 1) if level else NAMES.due)


def test_the_ladder_has_all_its_rungs() -> None:
    names = {queue.name for queue in make_topology().queues}
    assert {NAMES.delay(level) for level in range(LADDER_LEVELS)} <= names


def test_the_streams_keep_what_the_settings_ask_for() -> None:
    journal = arguments(NAMES.journal, WHATSAPP_QUEUE_RETENTION_DAYS="2")
    outcomes = arguments(NAMES.outcomes, WHATSAPP_QUEUE_DEDUPE_HOURS="10")
    assert journal["x-max-age"] == "172800s"
    assert int(str(outcomes["x-max-age"]).removesuffix("s")) > 10 * 3_600


def test_the_same_settings_make_the_same_topology() -> None:
    assert make_topology() == make_topology()
