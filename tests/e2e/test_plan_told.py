"""A plan, as the API and the command line make it: of what waits, of more messages, of the people of a file."""

from pathlib import Path

from admin import AdminServer
from cli import Cli
from factories import PHONE

from admin_api.auth.roles import Role
from publisher import Publisher
from waiting import wait_until

STRANGER = "+6281311112222"


def test_a_plan_is_made_of_what_waits_and_of_what_is_asked_for(
    admin: AdminServer, publisher: Publisher, cli: Cli, tmp_path: Path
) -> None:
    viewer = admin.client(Role.VIEWER, "budi")
    for _ in range(3):
        publisher.queue_message(PHONE, "Halo")
    wait_until(lambda: viewer.get("/plan")["messages"] == 3, 20, "what waits is planned")

    asked = {"messages": 100, "priority": "high", "cold": 0.5}
    urgent = viewer.get("/plan", messages=100, priority="urgent")
    behind = viewer.get("/plan", **asked)
    assert (behind["lane"], behind["messages"], behind["senders_needed"]) == ("default", 100, None)
    assert behind["finish"]["p50"] <= behind["finish"]["p90"]
    assert behind["seconds"]["p50"] >= urgent["seconds"]["p50"]
    assert [(one["reason"], one["messages"]) for one in behind["held"]] == [("pace", 100)]
    assert [one["week"] for one in behind["weeks"]] == [1, 2, 3, 4]
    assert "no consumer runs, and one is started now" in behind["assumptions"]
    wished = behind["finish"]["p90"] + 3600
    assert viewer.get("/plan", **asked, deadline=wished)["senders_needed"] == 1
    for wrong in ({"messages": -1}, {"cold": 2}, {"priority": "soon"}, {"deadline": "soon"}, {"messages": 10**9}):
        assert viewer.ask("GET", "/plan", params=wrong).status_code == 422
    assert viewer.ask("GET", "/plan", params={"lane": "nowhere"}).status_code == 404

    told = cli.json("plan", "--messages", "100", "--priority", "high", "--cold", "0.5")
    assert told.keys() == behind.keys()
    assert (told["messages"], told["held"][0]["reason"]) == (100, "pace")
    assert cli.json("plan")["messages"] == 3

    people = tmp_path / "people.csv"
    people.write_text(f"no_hp;pesan;nama\n{PHONE};Halo;Ani\n{STRANGER};Halo;Budi\n{STRANGER};Halo lagi;Budi\n0;x;y\n")
    known = tmp_path / "known.csv"
    known.write_text(f"phone_number\n{PHONE}\n")
    cli.json("contacts", "import", str(known))
    operator = admin.client(Role.OPERATOR, "ani")
    numbers = {"phone_numbers": [PHONE, STRANGER, STRANGER], "deadline": wished}
    for_people = operator.ask("POST", "/plan", json=numbers)
    assert (for_people.status_code, for_people.json()["messages"]) == (200, 3)
    refused = operator.ask("POST", "/plan", json={"phone_numbers": [PHONE, "08x"]})
    assert refused.status_code == 422
    assert "number 2 of the list" in refused.json()["detail"]
    assert operator.ask("POST", "/plan", json={"phone_numbers": []}).status_code == 422

    capped = {"WHATSAPP_QUEUE_COLD_DAILY_CAP": "1", "WHATSAPP_QUEUE_RECIPIENT_GAP": "60"}
    planned = cli.run("plan", "--file", str(people), "--deadline", "+1d", "--json", **capped)
    assert '"messages": 3' in planned.stdout
    assert '"senders_needed": 1' in planned.stdout
    # The second message to the stranger is none to a cold contact any more, and the one to the known person is none.
    assert '"cold_cap"' not in planned.stdout
    assert '"recipient_gap", "messages": 1' in planned.stdout
    assert "1 row that names nobody is left out." in planned.stderr
    assert "3 messages are probably sent by" in " ".join(cli.say("plan", "--file", str(people)).split())


def test_a_plan_needs_no_broker_and_refuses_what_cannot_be(cli: Cli, tmp_path: Path) -> None:
    away = {"AMQP_URL": "amqp://127.0.0.1:1/"}
    alone = cli.json("plan", "--messages", "50", "--cold", "1", WHATSAPP_QUEUE_PRESET="new-number", **away)
    assert alone["assumptions"][0].startswith("nothing is known of what waits")
    assert alone["held"][0]["reason"] in {"warm_up", "window"}
    (tmp_path / "nobody.csv").write_text("phone_number\n")
    for wrong in (
        ("--messages", "5", "--file", str(tmp_path / "nobody.csv")),
        ("--file", str(tmp_path / "nobody.csv")),
        ("--file", str(tmp_path / "none.csv")),
        ("--file", "-"),
        ("--deadline", "yesterday"),
        ("--deadline", "2020-01-01T00:00:00+07:00"),
        ("--priority", "soon"),
        ("--cold", "2"),
    ):
        done = cli.run("plan", *wrong, **away)
        assert (done.returncode, done.stdout) == (2, ""), done.stdout
        assert len(done.stderr.strip().splitlines()) <= 4
