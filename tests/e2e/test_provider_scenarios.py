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
FONNTE = PlayedProvider("fonnte", tells_another_try=False, tells_session=True)
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


@pytest.mark.parametrize("scene", [META, TWILIO, WAHA, GOWA, FONNTE, SANDBOX, MPWA], indirect=True, ids=str)
def test_every_message_comes_to_its_end_and_no_report_is_lost(scene: ProviderScene):
    scene.writes(KNOWN, "Halo")
    ends = send_one_of_each_kind(scene)
    kill_who_reads_reports(scene)
    scene.wait_for_ends(ends)

    check_what_was_sent(scene)
    check_what_is_told(scene)
    check_a_wish(scene)
    if scene.provider.tells_failures:
        check_a_correction(scene)
    if scene.provider.tells_session:
        check_a_lost_connection(scene)
    check_strangers_refused(scene)
    assert min(scene.gaps()) >= DELAY


def send_one_of_each_kind(scene: ProviderScene) -> dict[str, tuple[str, str | None]]:
    """What is to become of each."""
    provider = scene.provider
    reached = ("sent", provider.reaches)
    failed = ("dead", "failed") if provider.tells_failures else reached
    kinds = {
        "lost": ("9007", reached if provider.echoes_id else ("dead", None)),
        "plain": ("0001", reached),
        "throttled": ("9004", reached),
        "late": ("9011", reached),
        "twice": ("9012", reached),
        "reversed": ("9013", reached),
        "never": ("9014", ("sent", "handed_over")),
        "failed": ("9015", failed),
        "for now": ("9016", reached if provider.tells_another_try else failed),
    }
    for name, (ending, _) in kinds.items():
        scene.send(name, number_of(ending))
    scene.send("corrected", number_of("9017"))
    return {name: end for name, (_, end) in kinds.items()}


def kill_who_reads_reports(scene: ProviderScene) -> None:
    """In the middle: the provider repeats what was not taken."""
    if scene.provider.echoes_id:
        # It proves the attempt without an answer, which waits for it only so long.
        wait_until(lambda: scene.records.events("receipt.status"), 60, "the first receipt is there")
    wait_until(lambda: len(scene.arrivals()) >= 5, 60, "some have arrived")
    scene.receipts.kill()
    scene.admin.kill()
    scene.receipts.ready()
    scene.admin.start().ready()


def check_what_was_sent(scene: ProviderScene) -> None:
    """Each once, but what was throttled, and what may be tried again."""
    twice = {"throttled"} | ({"for now"} if scene.provider.tells_another_try else set())
    counts = {name: len(scene.arrivals(scene.message(name)["phone_number"])) for name in scene.ids}
    assert counts == {name: 2 if name in twice else 1 for name in scene.ids}
    first, second = scene.arrivals(number_of("9004"))
    assert second.at - first.at >= LONG


def check_what_is_told(scene: ProviderScene) -> None:
    provider, plain = scene.provider, scene.message("plain")
    assert (plain["provider"], plain["attempt"]) == (provider.name, 1)
    if provider.reaches == "read":
        assert plain["sent_at"] <= plain["delivered_at"] <= plain["read_at"]
        found = {one["message_id"] for one in scene.client.get("/messages", state="read", limit=100)["items"]}
        assert {scene.ids[name] for name in ("plain", "late", "twice", "reversed")} <= found
        assert scene.ids["never"] not in found
    taken = {one["message_id"] for one in scene.client.get("/messages", state="handed_over", limit=100)["items"]}
    assert scene.ids["never"] in taken
    if provider.echoes_id:
        [settled] = [entry for entry in scene.message("lost")["life"] if entry["name"] == "outcome.sent"]
        assert settled["details"]["settled_by"] == "receipt"
    if provider.tells_another_try:
        again = scene.message("for now")
        assert (again["attempt"], again["generation"]) == (2, 1)
    if provider.tells_failures:
        letters = {one["message_id"]: one for one in scene.client.get("/failed", limit=100)["items"]}
        assert letters[scene.ids["failed"]]["code"]
        assert scene.message("failed")["detail"]
    # Sent as a text to who wrote lately, and by the template to everyone else.
    assert {one.submission.kind for one in scene.arrivals()} == {"template" if provider.has_window else "text"}


def check_a_wish(scene: ProviderScene) -> None:
    """STOP, and STOP again: one answer, and no advertising from then on."""
    for _ in range(2):
        scene.writes(STOPPED, "STOP")
    [answer] = wait_until(lambda: scene.arrivals(STOPPED), 60, "the wish is answered")
    assert answer.submission.kind == "text"
    assert "no more promotions" in answer.submission.message
    scene.send("promotion", STOPPED, purpose="marketing")
    scene.send("payment", STOPPED)
    scene.wait_for_ends({"promotion": ("opted_out", None), "payment": ("sent", scene.provider.reaches)})
    assert [one.submission.message for one in scene.arrivals(STOPPED)][1:] == ["Pesan payment"]
    wait_until(lambda: scene.standing(KNOWN) == "known", 60, "who wrote is known")


def check_a_correction(scene: ProviderScene) -> None:
    """What failed has arrived after all: noted, and not sent again."""
    for name in ("failed", "corrected"):
        if name == "failed":
            scene.reports(name, "delivered")
        wait_until(lambda name=name: scene.message(name)["delivery"] == "delivered", 60, "it is corrected")
        notes = lambda name=name: [one for one in scene.message(name)["life"] if one["name"] == "message.noted"]  # noqa: E731
        if name == "failed" or scene.message(name)["state"] == "dead":
            wait_until(notes, 60, "it is noted")
            assert len(notes()) == 1
        print(scene.message(name))


def check_a_lost_connection(scene: ProviderScene) -> None:
    """It holds the lane, and says why, until the connection is back."""
    scene.connection_is("disconnected")
    hold = lambda: scene.client.get("/status")["hold"]  # noqa: E731
    wait_until(lambda: hold() and hold()["reason"] == "provider_away", 60, "the lane is held")
    scene.send("held", KNOWN)
    print(hold())
    scene.wait_for_ends({"held": ("waiting", None)})
    assert len(scene.arrivals(KNOWN)) == 0
    scene.connection_is("connected")
    scene.wait_for_ends({"held": ("sent", scene.provider.reaches)})


def check_strangers_refused(scene: ProviderScene) -> None:
    """Those who are known are written to."""
    scene.refuse_strangers()
    stranger = scene.send("stranger", STRANGER)
    if scene.provider.refuses_strangers:
        scene.wait_for_ends({"stranger": ("held", None)})
        assert scene.message("stranger")["hold"]["reason"] == "cold_held"
        scene.send("known", KNOWN)
        scene.wait_for_ends({"known": ("sent", scene.provider.reaches)})
    else:
        failed = lambda: [one for one in scene.records.events("outcome.failed") if one.message_id == stranger]  # noqa: E731
        [event] = wait_until(failed, 60, "it was refused")
        assert event.details["failure_class"] == "unavailable"
        scene.wait_for_ends({"stranger": ("waiting", None)})
    assert len(scene.arrivals(STRANGER)) == 1
