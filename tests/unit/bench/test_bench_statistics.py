"""The pure parts of the benchmarks: what they make of their measurements."""

import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from antrian.domain.phone_number import normalize
from bench.crash import benchmark as crash
from bench.crash.story import Record, Story
from bench.distribution import Distribution, gaps, percentile
from bench.lanes import benchmark as lanes
from bench.lanes.growth import Growth
from bench.lanes.log_events import LaneLog
from bench.lanes.sends import by_sender, gaps_between, lateness, second_sends
from bench.lanes.trial import Process, Trial
from bench.pace import benchmark as pace
from bench.pace.pacing import Pacing
from bench.provider import Arrival
from bench.publish import benchmark as publish
from bench.publish.run import Run, Standing, together, turns
from bench.publish.sample import samples
from bench.replay import benchmark as replay
from bench.replay.reading import Reading
from bench.report import Report, milliseconds

SECONDS = st.floats(0, 1e6)


def a_run(rate: float, cpu: float = 10e-6, count: int = 100) -> Run:
    return Run(50.0, 50.0 + count / rate, cpu * count, [0.001] * count)


def words(report: Report) -> str:
    console = Console(width=110, file=io.StringIO(), record=True)
    report.print_on(console)
    return console.export_text()


def test_a_distribution_of_a_hundred():
    found = Distribution.of([float(value) for value in range(100, 0, -1)])
    assert found == Distribution(count=100, smallest=1, median=50.5, p99=99, largest=100)


def test_a_distribution_of_one():
    assert Distribution.of([3.0]) == Distribution(1, 3, 3, 3, 3)


def test_a_distribution_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was measured"):
        Distribution.of([])


@given(st.lists(SECONDS, min_size=1))
def test_the_figures_of_a_distribution_are_in_order_and_its_extremes_occurred(values):
    found = Distribution.of(values)
    assert found.smallest == min(values)
    assert found.largest == max(values)
    assert found.p99 in values
    assert found.smallest <= found.median <= found.largest
    assert found.smallest <= found.p99 <= found.largest


@given(st.lists(SECONDS, min_size=1), st.integers(1, 100))
def test_so_many_percent_do_not_pass_the_percentile(values, percent):
    limit = percentile(sorted(values), percent)
    assert sum(value <= limit for value in values) >= len(values) * percent / 100


@given(st.lists(SECONDS, min_size=2).map(sorted))
def test_gaps_add_up_to_the_whole(moments):
    assert sum(gaps(moments)) == pytest.approx(moments[-1] - moments[0], abs=1e-3)
    assert all(gap >= 0 for gap in gaps(moments))


def test_a_run_counts_its_messages_per_second_and_its_processor_time_per_message():
    run = Run(started_at=10, ended_at=12, cpu_seconds=1, latencies=[0.1] * 500)
    assert run.rate == 250
    assert run.cpu_per_message == 0.002


def test_a_run_survives_the_way_from_process_to_process():
    run = Run(10.25, 12.5, 0.125, [0.000123, 0.5])
    assert Run.from_json(json.loads(json.dumps(run.as_json()))) == run


def test_processes_that_publish_together_are_timed_from_the_first_start_to_the_last_end():
    both = together([Run(10, 14, 1, [0.1, 0.1]), Run(11, 15, 2, [0.2, 0.2])])
    assert both == Run(10, 15, 3, [0.1, 0.1, 0.2, 0.2])
    assert both.rate == 4 / 5


def test_contenders_are_compared_within_each_round():
    # The machine was twice as busy in the second round: the ratio must not see it.
    standing = Standing.of([a_run(600), a_run(300), a_run(500)], [a_run(1000), a_run(500), a_run(1000)])
    assert standing.ratios == pytest.approx((0.5, 0.6, 0.6))
    assert standing.ratio == pytest.approx(0.6)
    assert standing.rate == pytest.approx(500)


def test_the_processor_ratio_is_the_references_part():
    standing = Standing.of([a_run(1, cpu=40e-6)] * 3, [a_run(1, cpu=10e-6)] * 3)
    assert standing.cpu_ratio == pytest.approx(0.25)


def test_a_missing_round_is_noticed():
    with pytest.raises(ValueError, match="zip"):
        Standing.of([a_run(1)], [a_run(1), a_run(1)])


def test_everybody_begins_a_round_once():
    orders = [turns(["a", "b", "c"], number) for number in range(3)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]


def test_samples_differ_and_are_valid_recipients():
    several = samples(300)
    assert len({text for _, text in several}) == len(several)
    assert len({len(text) for _, text in several}) == 1
    assert all(normalize(phone_number).startswith("+62812") for phone_number, _ in several)


@pytest.mark.parametrize(("rate", "verdict"), [(849, "0.84 of bare pika (target 0.85): BELOW"), (904, "0.90 of")])
def test_publish_says_whether_the_target_is_met_and_never_rounds_up_to_it(rate, verdict):
    runs = {contestant: [a_run(100)] for contestant in publish.CONTESTANTS}
    runs |= {publish.PREPARED: [a_run(1000)], publish.COMPOSING: [a_run(800)], publish.MANY: [a_run(rate)]}
    report = publish.report(runs)
    assert verdict in report.lines[0]
    assert report.lines[0].endswith("BELOW" if rate < 850 else "OK")
    assert "9.0 times Celery" in report.lines[1] or rate == 849
    assert report.lines[2].endswith("1.00 of bare pika, one at a time (target 0.95): OK")
    assert json.loads(json.dumps(report.figures))
    assert "queue_messages" in words(report)


def test_pace_counts_the_gaps_that_are_too_short():
    pacing = Pacing.of([0, 0.5, 0.999, 1.6], 0.5)
    assert pacing.shorter == 1
    assert pacing.gaps.smallest == pytest.approx(0.499)
    assert pacing.overhead == pytest.approx(0)


def test_a_gap_of_exactly_the_delay_is_long_enough():
    assert Pacing.of([1.0, 1.5, 2.0], 0.5).shorter == 0


@pytest.mark.parametrize(("moments", "verdict"), [([0, 0.6, 1.2], "OK"), ([0, 0.4, 1.2], "BROKEN")])
def test_pace_says_whether_the_promise_is_kept(moments, verdict):
    report = pace.report({pace.OURS: Pacing.of(moments, 0.5), pace.NAIVE: Pacing.of([0, 0.7], 0.5)})
    assert f": {verdict};" in report.lines[0]
    assert "plain pika" in words(report)


def test_a_message_that_arrives_again_is_a_second_send():
    story = Story([10, 10.4, 13.5, 16.6], ["first", "first", "second", "third"])
    assert story.second_sends == 1
    assert story.gap_over_the_crash == pytest.approx(0.4)


def test_a_record_adds_up_and_remembers_the_worst():
    record = Record.of([Story([0, 3, 6], ["a", "b", "c"]), Story([0, 3.5, 5.5, 9], ["a", "a", "b", "c"])])
    assert record == Record(trials=2, second_sends=1, gaps_over_the_crash=[3, 3.5], shortest_gap=2)


@pytest.mark.parametrize(
    ("moments", "texts", "kept"),
    [([0, 3, 6], "abc", True), ([0, 2.9, 6], "abc", False), ([0, 3, 6, 9], "aabc", False)],
)
def test_a_crash_is_survived_when_nothing_is_early_and_nothing_twice(moments, texts, kept):
    record = Record.of([Story(moments, list(texts))])
    assert record.keeps(3) is kept
    [line] = crash.report({crash.OURS: record}, 3).lines
    assert line.endswith("OK" if kept else "BROKEN")


def test_peers_are_shown_and_not_judged():
    [line] = crash.report({"plain pika": Record.of([Story([0, 0.1], "aa")])}, 3).lines
    assert line == "crash: plain pika: sent again: 1 in 1 kills; next send after 0.100 s (delay 3 s): for comparison"


def test_reading_is_what_an_empty_stream_does_not_take():
    reading = Reading.of(10_000, ready=[1.5, 1.4, 1.6], empty=[0.5, 0.6, 0.5], peer=[0.5, 0.4, 0.6])
    assert reading.reading == pytest.approx(1.0)
    assert reading.rate == pytest.approx(10_000)
    assert reading.peer_rate == pytest.approx(20_000)
    assert reading.ratio == pytest.approx(0.5)
    assert "0.50 of bare pika reading" in replay.report([reading]).lines[0]


def test_a_reading_too_quick_to_measure_is_no_division_by_zero():
    assert Reading.of(10, ready=[0.5], empty=[0.6], peer=[0.1]).rate == 10_000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.000712, "0.71 ms"), (0.0034, "3.4 ms"), (0.1204, "120 ms"), (1.205, "1,205 ms")]
)
def test_milliseconds_show_as_many_digits_as_mean_something(seconds, text):
    assert milliseconds(seconds) == text


def test_every_line_begins_with_its_benchmark():
    pacings = {pace.OURS: Pacing.of([0, 1], 0.5), pace.NAIVE: Pacing.of([0, 1], 0.5)}
    for report in (pace.report(pacings), replay.report([Reading(10, 1, 1, 1)])):
        assert all(line.startswith(f"{report.name}: ") for line in report.lines)
        assert all(a != b for a, b in pairwise([*report.lines, ""]))


def test_growth_by_least_squares_tells_a_line_from_a_square():
    counts = [50, 100, 200, 500, 1_000]
    straight = Growth.of(counts, [2 + 0.01 * count for count in counts])
    assert (straight.slope, straight.intercept) == (pytest.approx(0.01), pytest.approx(2))
    assert straight.is_linear
    assert Growth.of(counts, [count**2 for count in counts]).power == pytest.approx(2)
    # The consumer of a connection a lane, as it was measured once.
    assert not Growth.of([20, 100, 200], [3, 41, 188]).is_linear


def a_send(sender: str, at: float, text: str = "") -> Arrival:
    return Arrival(at, sender, text or f"{sender} {at}")


def test_gaps_are_taken_within_each_sender_and_within_the_time_that_is_asked_for():
    sends = by_sender([a_send("b", 3), a_send("a", 1), a_send("a", 4), a_send("b", 5), a_send("a", 9)])
    assert sends == {"a": [1, 4, 9], "b": [3, 5]}
    assert gaps_between(sends, 0, 8) == [3, 2]


def test_a_send_after_a_kill_is_late_from_the_kill_or_from_the_end_of_its_pause():
    sends = {
        "waits out its pause": [100.0, 110.5],
        "was due before": [80.0, 103.0],
        "had not sent": [104.0],
        "silent": [95.0],
    }
    late = lateness(sends, killed_at=102.0, delay=10.0)
    assert late == {"waits out its pause": 0.5, "was due before": 1.0, "had not sent": 2.0}


def test_a_message_that_arrives_twice_is_counted():
    assert second_sends([a_send("a", 1, "x"), a_send("a", 2, "y"), a_send("a", 3, "x")]) == 1


def test_a_log_is_read_on_from_where_it_was_and_only_in_whole_lines(tmp_path):
    path = tmp_path / "log"
    ready = '{"event": "lane.ready", "lane": "a", "timestamp": "2026-11-29T00:00:01Z"}\n'
    sent = '{"event": "message.sent", "lane": "b", "timestamp": "2026-11-29T00:00:02Z"}\n'
    path.write_text(f"no JSON lane.ready\n{ready}{sent[:30]}")
    log = LaneLog(path)
    log.read()
    assert (set(log.ready), log.sent) == ({"a"}, set())
    with path.open("a") as more:
        more.write(sent[30:])
    log.read()
    assert (set(log.ready), log.sent) == ({"a", "b"}, {"b"})
    assert log.ready["b"] - log.ready["a"] == 1


def a_trial(count: int, *, smallest: float = 10.001, twice: int = 0, late: float = 1.0, ready: float = 1.0) -> Trial:
    used = Process(1, count + 2, 40, 100_000_000 + count, 0.001 * count, 0.1, 0.1)
    gaps = Distribution.of([10.001, 10.02])
    return Trial(count, 10.0, count, ready, ready, used, gaps, smallest, Distribution.of([late]), twice)


@pytest.mark.parametrize(
    ("trial", "verdicts"),
    [
        (a_trial(50), ("OK", "OK", "OK")),
        (a_trial(50, smallest=9.9), ("BROKEN", "OK", "OK")),
        (a_trial(50, twice=1), ("BROKEN", "OK", "OK")),
        (a_trial(50, late=4.0), ("OK", "OK", "BELOW")),
    ],
)
def test_lanes_says_what_is_kept(trial, verdicts):
    line = lanes.report({"ours": [trial]}).lines[0]
    assert tuple(part.rpartition(": ")[2] for part in line.split(";") if part[-1].isupper()) == verdicts


def test_lanes_says_what_was_not_ready_and_how_the_rest_grows():
    square = [a_trial(count, ready=count**2 / 1_000) for count in (50, 100)]
    report = lanes.report({"ours": [a_trial(50), a_trial(100)], "theirs": [*square, Trial(500, 10.0, 77)]})
    assert "lanes: theirs: 500 lanes, 10 s each: 77 ready after 300 s: BELOW" in report.lines
    assert [line.rpartition(": ")[2] for line in report.lines if "ready time grows" in line] == ["linear", "NOT LINEAR"]
    assert json.loads(json.dumps(report.figures, allow_nan=False))
    assert "77 in 300 s" in words(report)
