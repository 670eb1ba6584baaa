"""Every provider from publish to the last receipt, through the real processes, against the sandbox in its dialect."""

import pytest
from provider_scene import DELAY, LONG, PlayedProvider, ProviderScene, playing

from waiting import wait_until

META = PlayedProvider(
    "meta_cloud",
    {"phone_number_id": "106540352242922", "template": "pemberitahuan"},
    sender_name="106540352242922",
    echoes_id=True,
    refuses_strangers=False,
    has_window=True,
)

TWILIO = PlayedProvider(
    "twilio",
    {"account_sid": f"AC{'0' * 32}", "content_sid": "HX1", "content_variable": "1"},
    refuses_strangers=False,
    has_window=True,
)
WAHA = PlayedProvider("waha", sender_name="default", tells_another_try=False, echoes_id=True, tells_session=True)
GOWA = PlayedProvider("gowa", key="user:password", tells_failures=False, tells_another_try=False)
FONNTE = PlayedProvider("fonnte", tells_session=True)
SANDBOX = PlayedProvider("sandbox", echoes_id=True, tells_session=True)
MPWA = PlayedProvider("mpwa", reaches="handed_over", tells_failures=False, tells_another_try=False)


@pytest.fixture
def scene(settings, tmp_path, request):
    with playing(settings, request.param, tmp_path) as ours:
        yield ours


def number_of(ending: str) -> str:
    """A person whose number ends so."""
    return f"+62812345{ending}"


KNOWN, STOPPED, STRANGER = "+6281234500101", "+6281234500102", "+6281234500103"

End = tuple[str, str | None]


@pytest.mark.parametrize("scene", [META, TWILIO, WAHA, GOWA, FONNTE, SANDBOX, MPWA], indirect=True, ids=str)
def test_every_message_comes_to_its_end_and_no_report_is_lost(scene: ProviderScene):
    scene.writes(KNOWN, "Halo")
    ends = send_one_of_each_kind(scene)
    kill_who_reads_reports(scene)
    scene.wait_for_ends(ends)

    check_what_is_told(scene)
    check_repeats(scene)
    check_a_wish(scene)
    if scene.provider.tells_failures:
        check_corrections(scene)
    if scene.provider.tells_session:
        check_a_lost_connection(scene)
    check_strangers_refused(scene)

    check_what_was_sent(scene)
    unchanged = ends.keys() - {"failed"}
    assert scene.ends(*unchanged) == {name: ends[name] for name in unchanged}


def send_one_of_each_kind(scene: ProviderScene) -> dict[str, End]:
    """What is to become of each, but for the one whose failure is corrected, perhaps before anything follows of it."""
    provider = scene.provider
    taken, reached = ("sent", "handed_over"), ("sent", provider.reaches)
    failed: End = ("dead", "failed") if provider.tells_failures else taken
    kinds: dict[str, tuple[str, End]] = {
        "lost": ("9007", reached if provider.echoes_id else ("dead", None)),
        "plain": ("0001", reached),
        "throttled": ("9004", reached),
        "late": ("9011", reached),
        "twice": ("9012", reached),
        "reversed": ("9013", reached),
        "never": ("9014", taken),
        "failed": ("9015", failed),
        "for now": ("9016", reached if provider.tells_another_try else failed),
    }
    scene.send("lost", number_of("9007"))
    scene.send("corrected", number_of("9017"))
    for name, (ending, _) in list(kinds.items())[1:]:
        scene.send(name, number_of(ending))
    return {name: end for name, (_, end) in kinds.items()}


def kill_who_reads_reports(scene: ProviderScene) -> None:
    """In the middle: the provider repeats what was not taken."""
    if scene.provider.echoes_id:
        # The attempt without an answer waits for its receipt only so long.
        wait_until(lambda: proves_the_lost_one(scene), 20, "its receipt is there")
    wait_until(lambda: len(scene.arrivals()) >= 5, 20, "some have arrived")
    scene.receipts.kill()
    scene.admin.kill()
    scene.receipts.ready()
    scene.admin.start().ready()


def proves_the_lost_one(scene: ProviderScene) -> bool:
    """Whether a receipt has named it as we named it."""
    names = {one.submission.correlation_id for one in scene.arrivals(number_of("9007"))}
    return any(event.details["correlation_id"] in names for event in scene.records.events("receipt.status"))


def check_what_is_told(scene: ProviderScene) -> None:
    """By the message, by searches, and by the dead letters."""
    provider, plain = scene.provider, scene.message("plain")
    assert (plain["provider"], plain["attempt"]) == (provider.name, 1)
    times = [plain[name] for name in ("sent_at", "delivered_at", "read_at")]
    reached = {scene.ids[name] for name in ("plain", "late", "twice", "reversed")}
    if provider.reaches == "read":
        assert sorted(times) == times
        assert reached <= scene.search("read")
    else:
        assert times[1:] == [None, None]
        assert not scene.search("read") | scene.search("delivered")
    assert scene.ids["never"] in scene.search("handed_over")
    if provider.echoes_id:
        [settled] = scene.life("lost", "outcome.sent")
        assert settled["details"]["settled_by"] == "receipt"
    if provider.tells_another_try:
        again = scene.message("for now")
        assert (again["attempt"], again["generation"]) == (2, 1)
    if provider.tells_failures:
        letters = {one["message_id"]: one for one in scene.client.get("/failed", limit=100)["items"]}
        assert all((letters[scene.ids["failed"]]["code"], scene.message("failed")["delivery_detail"]))
    # A text to who wrote lately, and the template to everyone else.
    assert {one.submission.kind for one in scene.arrivals()} == {"template" if provider.has_window else "text"}


def check_repeats(scene: ProviderScene) -> None:
    """What is told twice counts once, and nothing was given up by the provider."""
    scene.send("again", "+628129999012")
    scene.wait_for_ends({"again": ("sent", scene.provider.reaches)})
    told = scene.sandbox.reporting.told
    wait_until(lambda: not told()["waiting"], 20, "all is told")
    assert not told()["given_up"]
    for name in ("twice", "again"):
        steps = [step["name"] for step in scene.message(name)["steps"] if step["name"].startswith("receipt.")]
        assert len(steps) == len(set(steps))


def check_a_wish(scene: ProviderScene) -> None:
    """STOP, and STOP again: one answer, and no advertising from then on."""
    for _ in range(2):
        scene.writes(STOPPED, "STOP")
    [answer] = wait_until(lambda: scene.arrivals(STOPPED), 20, "the wish is answered")
    assert answer.submission.kind == "text"
    assert "no more promotions" in answer.submission.message
    scene.send("promotion", STOPPED, purpose="marketing")
    scene.send("payment", STOPPED)
    scene.wait_for_ends({"promotion": ("opted_out", None), "payment": ("sent", scene.provider.reaches)})
    assert [one.submission.message for one in scene.arrivals(STOPPED)][1:] == ["Pesan payment"]
    wait_until(lambda: scene.standing(KNOWN) == "known", 20, "who wrote is known")


def check_corrections(scene: ProviderScene) -> None:
    """What failed has arrived after all: noted where it had led to a dead letter."""
    scene.reports("failed", "delivered")
    for name in ("failed", "corrected"):
        wait_until(lambda name=name: scene.message(name)["delivery"] == "delivered", 20, f"{name} is corrected")
        message = scene.message(name)
        assert (message["delivery_code"], bool(message["delivered_at"])) == (None, True)
        if message["state"] == "dead":
            wait_until(lambda name=name: scene.life(name, "message.noted"), 20, f"{name} is noted")
            assert len(scene.life(name, "message.noted")) == 1
    assert scene.message("failed")["state"] == "dead"


def check_a_lost_connection(scene: ProviderScene) -> None:
    """It holds the lane, and says why, until the connection is back."""
    scene.connection_is("disconnected")
    hold = lambda: scene.client.get("/status")["hold"]  # noqa: E731
    wait_until(lambda: (hold() or {}).get("reason") == "provider_away", 20, "the lane is held")
    assert hold()["rule"] == "the sender is not connected to WhatsApp"
    scene.send("held", KNOWN)
    scene.wait_for_ends({"held": ("waiting", None)})
    assert not scene.arrivals(KNOWN)
    scene.connection_is("connected")
    scene.wait_for_ends({"held": ("sent", scene.provider.reaches)})


def check_strangers_refused(scene: ProviderScene) -> None:
    """Where it is about strangers, the others are written to; else the lane waits. Nothing is lost."""
    scene.refuse_strangers()
    stranger = scene.send("stranger", STRANGER)
    if scene.provider.refuses_strangers:
        scene.wait_for_ends({"stranger": ("held", None)})
        assert scene.message("stranger")["hold"]["reason"] == "cold_held"
        scene.send("known", KNOWN)
        scene.wait_for_ends({"known": ("sent", scene.provider.reaches)})
    else:
        [refused] = wait_until(
            lambda: [one for one in scene.records.events("outcome.failed") if one.message_id == stranger],
            20,
            "it was refused",
        )
        assert refused.details["failure_class"] == "unavailable"
        scene.wait_for_ends({"stranger": ("waiting", None)})


def check_what_was_sent(scene: ProviderScene) -> None:
    """Each message once, but what was throttled, and what the provider allowed another try of; never too soon."""
    twice = {"throttled"} | ({"for now"} if scene.provider.tells_another_try else set())
    texts = [one.submission.message for one in scene.arrivals()]
    counts = {name: sum(f"Pesan {name}" in text for text in texts) for name in scene.ids}
    assert counts == {name: 2 if name in twice else 1 for name in scene.ids} | {"promotion": 0}
    assert sum("no more promotions" in text for text in texts) == 1
    first, second = scene.arrivals(number_of("9004"))
    assert second.at - first.at >= LONG
    assert min(scene.gaps()) >= DELAY
