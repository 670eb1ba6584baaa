import pytest

from admin_api.auth.errors import AccessUnreadable
from admin_api.auth.roles import Role
from admin_api.auth.sessions import LONGEST, Sessions
from admin_api.auth.tokens import TokenFile

NOW = 1_800_000_000.0


@pytest.fixture
def tokens(tmp_path):
    return TokenFile(tmp_path / "tokens.toml")


@pytest.fixture
def sessions(tmp_path):
    return Sessions(tmp_path)


@pytest.fixture
def ani(tokens):
    return tokens.create(Role.OPERATOR, "ani", NOW)[0]


@pytest.fixture
def read(sessions, tokens):
    return lambda cookie, now=NOW: sessions.read(cookie, lambda one: tokens.tokens().get(one), now)


def test_a_cookie_is_known_until_twelve_hours_later(sessions, ani, read):
    cookie = sessions.begin(ani, NOW)
    session, token = read(cookie)
    assert token == ani
    assert len(session.csrf) >= 32
    assert read(cookie, NOW + LONGEST - 1)
    assert read(cookie, NOW + LONGEST) is None


def test_a_cookie_from_the_future_is_not_believed(sessions, ani, read):
    assert read(sessions.begin(ani, NOW + 3600)) is None


def test_a_cookie_that_was_changed_anywhere_is_not_believed(sessions, ani, read):
    cookie = sessions.begin(ani, NOW)
    for place in range(0, len(cookie), 7):
        changed = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        assert read(changed) is None
    for nothing in ("", ".", "a.b", cookie[:-5], cookie + cookie):
        assert read(nothing) is None


def test_a_session_ends_when_its_token_is_revoked(sessions, ani, read, tokens):
    cookie = sessions.begin(ani, NOW)
    tokens.revoke("ani")
    assert read(cookie) is None


def test_a_session_ends_when_its_tokens_role_changes(sessions, ani, read, tmp_path):
    cookie = sessions.begin(ani, NOW)
    path = tmp_path / "tokens.toml"
    path.write_text(path.read_text().replace("operator", "admin"))
    assert read(cookie) is None


def test_a_session_that_was_ended_stays_ended_on_every_replica(sessions, ani, tokens, tmp_path):
    cookie = sessions.begin(ani, NOW)
    replica = Sessions(tmp_path)
    session, _ = replica.read(cookie, tokens.tokens().get, NOW)
    sessions.end(session, NOW)
    assert replica.read(cookie, tokens.tokens().get, NOW) is None
    assert replica.read(sessions.begin(ani, NOW), tokens.tokens().get, NOW)


def test_the_key_is_made_once_and_kept_for_the_owner_alone(sessions, ani, tmp_path):
    sessions.begin(ani, NOW)
    key = tmp_path / "session.key"
    made = key.read_bytes()
    Sessions(tmp_path).begin(ani, NOW)
    assert key.read_bytes() == made
    assert key.stat().st_mode & 0o777 == 0o600


def test_another_key_ends_all_sessions(sessions, ani, read, tmp_path):
    cookie = sessions.begin(ani, NOW)
    (tmp_path / "session.key").unlink()
    assert read(cookie) is None
    assert read(sessions.begin(ani, NOW))


def test_an_empty_key_signs_nothing(sessions, ani, tmp_path):
    (tmp_path / "session.key").write_bytes(b"")
    with pytest.raises(AccessUnreadable, match="damaged"):
        sessions.begin(ani, NOW)


def test_a_damaged_list_of_ended_sessions_lets_nobody_in(sessions, ani, read, tmp_path):
    cookie = sessions.begin(ani, NOW)
    (tmp_path / "ended-sessions.json").write_text("[3]")
    with pytest.raises(AccessUnreadable, match="ended-sessions"):
        read(cookie)
