import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_message, make_settings

from antrian.broker.definitions import ROLES, definitions, password_hash
from antrian.broker.queue_scan.publication import Found
from antrian.broker.topology import Names, topology
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.message import encode
from antrian.operations.lane.release import into_lane

ROOT = Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "deploy/rabbitmq/generate.py"


def made(**variables: str):
    settings = make_settings(**variables)
    return definitions(topology(settings), settings.lanes.names, passwords={"consumer": "geheim"})


def test_the_committed_definitions_are_those_of_the_topology():
    run = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_generator_notices_a_difference(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("generate_definitions", GENERATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FILE", tmp_path / "definitions.json")
    assert module.main(["--check"]) == 1
    assert module.main([]) == 0
    assert module.main(["--check"]) == 0
    assert "differs from the topology" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_every_object_of_the_topology_is_there(kind):
    variables = {
        "WHATSAPP_QUEUE_TYPE": kind,
        "WHATSAPP_QUEUE_LANES": "default,promo=6281111111",
        "WHATSAPP_SENDER": "6282222222",
    }
    wanted, found = topology(make_settings(**variables)), made(**variables)
    assert [one["name"] for one in found["exchanges"]] == [one.name for one in wanted.exchanges]
    assert {one["name"]: one["arguments"] for one in found["queues"]} == {
        one.name: dict(one.arguments) for one in wanted.queues
    }
    assert len(found["bindings"]) == len(wanted.bindings)


def test_no_user_may_configure_anything_of_the_topology():
    found = made()
    names = {one["name"] for kind in ("exchanges", "queues") for one in found[kind]}
    for permission in found["permissions"]:
        assert not [name for name in names if re.search(permission["configure"], name)]


def test_no_user_may_publish_past_the_exchanges():
    for permission in made()["permissions"]:
        assert not re.search(permission["write"], "amq.default")
        assert not re.search(permission["write"], "wa.lane.default")


def test_an_admin_may_release_what_is_held_and_nobody_else_reaches_a_lane_from_the_ladder():
    found = made()
    body, properties = encode(make_message())
    released = into_lane(Names(), Found("wa.delay.11", ladder_key(3600, "default"), properties, body))
    may = [one["user"] for one in found["permissions"] if re.search(one["write"], released.exchange)]
    [keys] = [
        one["write"] for one in found["topic_permissions"] if (one["user"], one["exchange"]) == ("admin", "wa.due")
    ]
    assert may == ["admin"]
    assert re.search(keys, released.routing_key)
    assert not re.search(keys, ladder_key(1, "default"))


def test_another_namespace_on_the_same_broker_is_out_of_reach():
    for permission in made()["permissions"]:
        for right in ("configure", "write", "read"):
            assert not re.search(permission[right], "wax.messages")
            assert not re.search(permission[right], "other.messages")
            assert not re.search(permission[right], "waXmessages")


def test_a_user_without_a_password_cannot_log_in_by_one():
    hashes = {user["name"]: user["password_hash"] for user in made()["users"]}
    assert hashes.keys() == ROLES.keys()
    assert hashes["publisher"] == hashes["admin"] == ""
    assert hashes["consumer"]


def test_a_password_is_hashed_with_a_salt_of_its_own():
    assert password_hash("geheim") != password_hash("geheim")
    assert "geheim" not in str(made())
