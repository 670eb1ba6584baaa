"""`antrian token`, as a user types it."""

import json

import pytest
from antrian_process import run_antrian

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def run(home):
    def run(*words, code=0):
        environment = {"PATH": "/usr/bin:/bin", "ANTRIAN_HOME": str(home)}
        done = run_antrian(["token", *words], env=environment)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.fixture
def file(home):
    return TokenFile(home / "tokens.toml")


def test_a_token_is_made_for_programs(run, file):
    made = json.loads(run("create", "--role", "operator", "--name", "ani", "--json"))
    assert set(made) == {"name", "role", "token"}
    token = file.verify(made["token"])
    assert (token.name, token.role) == (made["name"], made["role"]) == ("ani", Role.OPERATOR)


def test_a_token_is_shown_once_and_people_are_told_so(run, file):
    shown = run("create", "--role", "viewer")
    text, _, sentence = shown.partition("\n")
    assert file.verify(text).name == "viewer"
    assert "it cannot be shown again" in sentence
    assert text not in run("list") + run("list", "--json")


def test_the_list_shows_names_and_roles_and_nothing_that_proves_anything(run, file):
    assert run("list") == "0 tokens.\n"
    run("create", "--role", "admin", "--name", "ani")
    [token] = file.tokens().values()
    assert json.loads(run("list", "--json")) == {
        "tokens": [{"name": "ani", "role": "admin", "id": token.id, "created_at": token.created_at.isoformat()}]
    }
    assert "ani" in run("list")
    assert token.sha256 not in run("list") + run("list", "--json")


def test_a_revoked_token_is_worthless(run, file):
    made = json.loads(run("create", "--role", "admin", "--json"))
    assert "is revoked" in run("revoke", made["name"])
    assert file.verify(made["token"]) is None
    run("create", "--role", "admin", "--name", "again")
    assert json.loads(run("revoke", "again", "--json")) == {"revoked": "again", "role": "admin"}


@pytest.mark.parametrize(
    ("words", "named", "code"),
    [
        (("create",), "--role", 2),
        (("create", "--role", "king"), "king", 2),
        (("create", "--role", "admin", "--name", "a b"), "letters, digits", 2),
        (("revoke",), "NAME", 2),
        (("revoke", "nobody"), "no token with that name", 1),
        (("explode",), "explode", 2),
    ],
)
def test_what_is_typed_wrong_ends_in_one_sentence(run, words, named, code):
    assert named in run(*words, code=code)


def test_a_name_is_given_once(run):
    run("create", "--role", "admin", "--name", "ani")
    assert "already a token ani" in run("create", "--role", "viewer", "--name", "ani", code=2)


def test_a_damaged_file_is_named_and_left_as_it_is(run, home):
    home.mkdir()
    (home / "tokens.toml").write_text("{oops")
    for words in (("list",), ("create", "--role", "admin"), ("revoke", "x")):
        complaint = run(*words, code=1)
        assert "tokens.toml" in complaint
        assert "damaged" in complaint
    assert (home / "tokens.toml").read_text() == "{oops"
