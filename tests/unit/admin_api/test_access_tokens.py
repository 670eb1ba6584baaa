import hmac
import threading

import pytest

from admin_api.auth.errors import AccessUnreadable, TokenRefused
from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile

NOW = 1_800_000_000.7


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "tokens.toml"


@pytest.fixture
def file(path):
    return TokenFile(path)


def test_a_token_proves_who_it_is_and_its_secret_is_nowhere_on_disk(file, path):
    token, text = file.create(Role.OPERATOR, "ani", NOW)
    assert file.verify(text) == token
    assert (token.name, token.role) == ("ani", Role.OPERATOR)
    assert text.startswith(f"antrian_{token.id}_")
    secret = text.removeprefix(f"antrian_{token.id}_")
    assert len(secret) == 43
    assert secret not in path.read_text()
    assert token.sha256 not in repr(token)


def test_file_and_folder_are_made_and_are_readable_by_their_owner_alone(file, path):
    file.create(Role.VIEWER, None, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not path.with_name("tokens.toml.new").exists()


@pytest.mark.parametrize(
    "change", ["", "x", "antrian_", "antrian__", "antrian_{id}_", "other_{id}_{secret}", "{secret}"]
)
def test_what_is_no_token_is_refused(file, change):
    token, text = file.create(Role.VIEWER, None, NOW)
    secret = text.rpartition(f"{token.id}_")[2]
    assert file.verify(change.format(id=token.id, secret=secret)) is None
    assert file.verify(f"{text[:-1]}{'a' if text[-1] != 'a' else 'b'}") is None
    assert file.verify("antrian_\ud800_\ud800é") is None


def test_secrets_are_compared_in_constant_time_even_for_tokens_that_do_not_exist(file, monkeypatch):
    _, text = file.create(Role.VIEWER, None, NOW)
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append(one) or real(one, other))
    assert file.verify(text)
    assert file.verify("antrian_00000000_x") is None
    assert len(compared) == 2


def test_a_token_made_or_revoked_by_another_process_counts_at_once(file, path):
    other = TokenFile(path)
    assert file.tokens() == {}
    _, text = other.create(Role.VIEWER, "ani", NOW)
    assert file.verify(text)
    assert other.revoke("ani")
    assert file.verify(text) is None
    assert other.revoke("ani") is None


def test_an_entry_that_is_taken_out_by_hand_is_revoked(file, path):
    _, text = file.create(Role.VIEWER, None, NOW)
    path.write_text("")
    assert file.verify(text) is None


def test_names_are_unique_and_plain(file):
    file.create(Role.VIEWER, "ani", NOW)
    for name in ("ani", "", "a b", "-x", "é", "a" * 41, "a/b", "a\nb"):
        with pytest.raises(TokenRefused):
            file.create(Role.VIEWER, name, NOW)
    assert [file.create(Role.VIEWER, None, NOW)[0].name for _ in range(3)] == ["viewer", "viewer-2", "viewer-3"]


@pytest.mark.parametrize(
    "content",
    [
        b"{oops",
        b"\xff",
        b"token = 3",
        b"[[token]]\nid = 'a'",
        b"[[token]]\nid='a'\nname='n'\nrole='king'\nsha256='x'\ncreated_at=2026-01-01T00:00:00Z",
        b"[[token]]\nid='a'\nname='n'\nrole='admin'\nsha256=''\ncreated_at=2026-01-01T00:00:00Z",
        b"[[token]]\nid='a'\nname='n'\nrole='admin'\nsha256='" + b"0" * 64 + b"'\ncreated_at=2026-01-01T00:00:00",
        b"[[token]]\nid='a'\nname='n'\nrole='admin'\nsha256='" + b"0" * 64 + b"'\ncreated_at=2026-01-01",
        b"[[token]]\nid='a'\nname=7\nrole='admin'\nsha256='x'\ncreated_at=2026-01-01T00:00:00Z",
    ],
)
def test_a_damaged_file_lets_nobody_in_and_is_not_overwritten(file, path, content):
    _, text = file.create(Role.ADMIN, "ani", NOW)
    path.write_bytes(content)
    for attempt in (lambda: file.verify(text), lambda: file.create(Role.ADMIN, None, NOW), lambda: file.revoke("ani")):
        with pytest.raises(AccessUnreadable, match="damaged"):
            attempt()
    assert path.read_bytes() == content


def test_two_tokens_of_one_name_are_damage(file, path):
    file.create(Role.ADMIN, "ani", NOW)
    entry = path.read_text()
    path.write_text(entry + entry)
    with pytest.raises(AccessUnreadable):
        file.tokens()


def test_a_file_that_anybody_may_change_is_not_believed(file, path):
    _, text = file.create(Role.ADMIN, None, NOW)
    path.write_text(path.read_text() + "\n")
    path.chmod(0o666)
    with pytest.raises(AccessUnreadable, match="every user of this machine can change it"):
        file.verify(text)


def test_what_cannot_be_read_lets_nobody_in_until_it_can(file, path):
    _, text = file.create(Role.ADMIN, None, NOW)
    aside = path.with_name("aside")
    path.rename(aside)
    assert file.verify(text) is None
    path.mkdir()
    with pytest.raises(AccessUnreadable, match="directory"):
        file.verify(text)
    path.rmdir()
    aside.rename(path)
    assert file.verify(text)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessUnreadable, match="not a directory"):
        TokenFile(tmp_path / "file" / "tokens.toml").create(Role.ADMIN, None, NOW)


def test_many_writers_at_once_lose_nothing(path):
    def make(number):
        TokenFile(path).create(Role.VIEWER, f"t{number}", NOW)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {token.name for token in TokenFile(path).tokens().values()} == {f"t{number}" for number in range(16)}


def test_a_draft_that_a_crash_left_is_no_hindrance(file, path):
    file.create(Role.VIEWER, None, NOW)
    path.with_name("tokens.toml.new").write_text("half")
    path.with_name("tokens.toml.new").chmod(0o644)
    file.create(Role.VIEWER, None, NOW)
    assert len(file.tokens()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
