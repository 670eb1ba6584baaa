"""Held messages are released from the command line, over HTTP, and by a change of the limits."""

from admin import AdminServer
from cli import Cli
from queue_fixture import Stock, ids

from admin_api.auth.roles import Role
from antrian.domain.settings import Settings
from waiting import wait_until


def test_the_command_line_releases_what_is_meant_and_says_what_it_did(cli: Cli, stock: Stock) -> None:
    stock.add_held("m1", "m2", source="registration")
    stock.add_held("m3", reason="window")

    asked = cli.run("holds", "release")
    assert (asked.returncode, stock.delayed()) == (2, 3)
    assert "say so with --yes" in asked.stderr
    assert "resume it" in cli.run("holds", "release", "--reason", "paused", "--yes").stderr
    assert "either --reason or" in cli.run("holds", "release", "m1", "--reason", "window", "--yes").stderr

    assert "1 message is back in lane default" in cli.say("holds", "release", "m1", "--yes")
    job = cli.json("holds", "release", "--reason", "cold_cap", "--source", "registration", "--yes")
    assert (job["state"], job["done"], job["options"]["kind"]) == ("done", 1, "release")
    nothing = cli.say("holds", "release", "--reason", "cold_held", "--yes")
    assert nothing.strip() == "Nothing is held in default (cold_held)."
    assert len(stock.events("contact.cold_released")) == 1
    assert (ids(stock.in_lane()), stock.delayed()) == (["m1", "m2"], 1)


def test_a_release_over_http_is_a_job_of_an_operator(admin: AdminServer, stock: Stock) -> None:
    stock.add_held("m1", "m2", reason="cold_held")
    stock.add_held("m3", reason="window")
    operator, viewer = admin.ready().client(Role.OPERATOR, "ops"), admin.client(Role.VIEWER)

    refused = operator.ask("POST", "/holds/release", json={"reason": "daily_cap"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-releasable")
    assert "raise daily_cap" in refused.json()["detail"]
    assert operator.ask("POST", "/holds/release", json={"reason": "window", "ids": ["m1"]}).status_code == 422
    assert operator.ask("POST", "/holds/release", json={"lane": "nowhere"}).status_code == 404
    assert viewer.ask("POST", "/holds/release", json={}).status_code == 403

    answer = operator.ask("POST", "/holds/release", json={"lane": "default", "reason": "cold_held"})
    assert answer.status_code == 202
    job = answer.json()
    over = wait_until(
        lambda: now if (now := operator.get(f"/jobs/{job['job_id']}"))["state"] != "running" else None, 30, "its end"
    )
    assert (over["state"], over["done"], over["actor"]) == ("done", 2, "api:ops")
    assert sorted(ids(stock.in_lane())) == ["m1", "m2"]
    assert stock.delayed() == 1
    wait_until(lambda: audited(stock), 30, "it is on record")
    # An empty body is everything.
    operator.post("/holds/release")
    stock.wait_for(stock.names.lane("default"), 3)


def audited(stock: Stock) -> bool:
    found = [event.details["action"] for event in stock.events("audit.allowed")]
    return "POST /holds/release" in found


def test_a_change_of_limits_has_what_they_held_judged_anew(lane: Settings, sandbox, tmp_path, consumer) -> None:
    file = tmp_path / "lanes.toml"
    with_file = {"WHATSAPP_QUEUE_LANES_FILE": str(file)}

    def write(**keys: str) -> None:
        values = {"provider": '"sandbox"', "url": f'"{sandbox.url}"', "sender": '"628111111111"', "delay": "0.1"} | keys
        file.write_text("[lanes.default]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))

    write()
    ours = lane.model_copy(update={"whatsapp_queue_lanes_file": file}).with_lanes_read_again()
    stock, cli = Stock(ours), Cli(ours)
    process = consumer(**with_file)
    wait_until(lambda: "lane.ready" in process.log(), 60, "the lane is served")
    stock.add_held("m1", reason="window")
    stock.add_held("m2", reason="recipient_gap")

    write(window='{ low = "00:00-24:00" }')
    assert "what is held stays as it was planned" in cli.say("lanes", "apply", "--no-replan", **with_file)
    write(window='{ low = "00:01-24:00" }')
    done = cli.json("lanes", "apply", **with_file)
    assert done["replanned"]["done"] == 1
    assert done["answers"][0]["replan"] == {"default": ["cold_cap", "warm_up", "window"]}
    assert {event.message_id for event in stock.events("outcome.released")} == {"m1"}
    # What changed now holds nobody.
    write(window='{ low = "00:01-24:00" }', delay="0.2")
    assert cli.json("lanes", "apply", **with_file)["replanned"] is None
    assert stock.delayed() == 1


def test_a_higher_cap_lets_those_go_that_the_lower_one_held(
    lane: Settings, sandbox, arrivals, tmp_path, consumer
) -> None:
    file = tmp_path / "lanes.toml"
    with_file = {"WHATSAPP_QUEUE_LANES_FILE": str(file)}

    def write(cap: int) -> None:
        keys = f'provider = "sandbox"\nurl = "{sandbox.url}"\nsender = "628111111111"\ndelay = 0.1\n'
        file.write_text(f"[lanes.default]\n{keys}cold_daily_cap = {cap}\n")

    write(1)
    ours = lane.model_copy(update={"whatsapp_queue_lanes_file": file}).with_lanes_read_again()
    stock, cli = Stock(ours), Cli(ours)
    process = consumer(**with_file)
    wait_until(lambda: "lane.ready" in process.log(), 60, "the lane is served")
    for number in range(4):
        cli.say("publish", f"62812000000{number}", f"text {number}", **with_file)
    wait_until(lambda: len(stock.events("outcome.held")) == 3, 60, "three wait for their days")
    assert len(arrivals.texts()) == 1

    write(3)
    assert cli.json("lanes", "apply", **with_file)["replanned"]["done"] == 3
    arrivals.wait_for(3, 60)
    wait_until(lambda: len(stock.events("outcome.held")) == 4, 60, "the fourth has a new day")
    assert (len(set(arrivals.texts())), len(arrivals.texts()), stock.delayed()) == (3, 3, 1)
