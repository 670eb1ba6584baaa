"""Access tokens. The file knows only their hashes; the text of a token exists once, when it is made."""

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import tomli_w

from admin_api.auth.errors import TokenRefused, explained
from admin_api.auth.private_file import PrivateFile, Stamp
from admin_api.auth.roles import Role

_PREFIX = "antrian"
_SECRET_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_HASH = re.compile(r"[0-9a-f]{64}")
_HEADER = "# Written by `antrian token`. It holds hashes only; take an entry out to revoke its token.\n\n"
#: Compared with when there is no such token, so that the answer takes as long.
_NOBODY = "0" * 64
_REMEDY = "correct it, or restore a copy"


@dataclass(frozen=True, slots=True)
class Token:
    """What the file knows about a token.

    Attributes:
        id: the part of the token's text that is no secret.
        name: who acts, in the journal; unique.
        role: what it is for.
        sha256: of the secret part, in hex.
        created_at: with time zone.
    """

    id: str
    name: str
    role: Role
    sha256: str = field(repr=False)
    created_at: datetime

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """Read one entry of the file; ValueError, TypeError or KeyError when it is not one."""
        token = cls(entry["id"], entry["name"], Role(entry["role"]), entry["sha256"], entry["created_at"])
        if token.created_at.tzinfo is None or not _HASH.fullmatch(token.sha256):
            raise ValueError("an entry has no hash, or a creation time without a time zone")
        if not _NAME.fullmatch(token.name) or not _NAME.fullmatch(token.id):
            raise ValueError("an entry's name or id has characters that it cannot have")
        return token

    def entry(self) -> dict[str, Any]:
        """The entry for the file."""
        return {
            "id": self.id,
            "name": self.name,
            "role": str(self.role),
            "sha256": self.sha256,
            "created_at": self.created_at,
        }


class TokenFile:
    """The tokens that are good now. Safe for threads and for several processes."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path)
        self._known: tuple[Stamp | None, Mapping[str, Token]] = (None, {})

    def tokens(self) -> Mapping[str, Token]:
        """Every token by its id; the file is read again when it changed.

        Raises:
            AccessUnreadable: no client is let in.
        """
        with explained(self._file.path, _REMEDY):
            stamp = self._file.stamp()
            if stamp != self._known[0]:
                self._known = (stamp, self._read())
            return self._known[1]

    def verify(self, text: str) -> Token | None:
        """The token behind its text; None when there is no such token, or not any more.

        Raises:
            AccessUnreadable: no client is let in.
        """
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        token = self.tokens().get(token_id) if prefix == _PREFIX else None
        is_right = hmac.compare_digest(_hash(secret), token.sha256 if token else _NOBODY)
        return token if is_right else None

    def create(self, role: Role, name: str | None, now: float) -> tuple[Token, str]:
        """Make a token.

        Args:
            role: what it is for.
            name: unique; None to call it after its role.
            now: unix seconds.

        Returns:
            The token, and its text, which cannot be found out later.

        Raises:
            TokenRefused: the name is taken, or no name.
            AccessUnreadable: the file is broken, or cannot be written.
        """
        with self._changing() as tokens:
            chosen = _free_name(role, name, {token.name for token in tokens.values()})
            secret = secrets.token_urlsafe(_SECRET_BYTES)
            token = Token(secrets.token_hex(4), chosen, role, _hash(secret), datetime.fromtimestamp(int(now), UTC))
            tokens[token.id] = token
        return token, f"{_PREFIX}_{token.id}_{secret}"

    def revoke(self, name: str) -> Token | None:
        """Take a token out; None when there is none of that name.

        Raises:
            AccessUnreadable: the file is broken, or cannot be written.
        """
        with self._changing() as tokens:
            found = next((token for token in tokens.values() if token.name == name), None)
            if found:
                del tokens[found.id]
        return found

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        with explained(self._file.path, _REMEDY), self._file.locked():
            before = self._read()
            tokens = dict(before)
            yield tokens
            if tokens != before:
                entries = {"token": [token.entry() for token in tokens.values()]}
                self._file.write((_HEADER + tomli_w.dumps(entries)).encode())

    def _read(self) -> Mapping[str, Token]:
        values = tomllib.loads((self._file.read() or b"").decode())
        tokens = [Token.from_entry(entry) for entry in values.get("token", [])]
        by_id = {token.id: token for token in tokens}
        if len(by_id) != len(tokens) or len({token.name for token in tokens}) != len(tokens):
            raise ValueError("two entries have the same name or id")
        return by_id


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess from.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _free_name(role: Role, name: str | None, taken: set[str]) -> str:
    if name is None:
        candidates = (str(role), *(f"{role}-{number}" for number in range(2, len(taken) + 3)))
        return next(one for one in candidates if one not in taken)
    if not _NAME.fullmatch(name):
        raise TokenRefused("a token's name has up to 40 letters, digits, dots, dashes and underscores")
    if name in taken:
        raise TokenRefused(f"there is already a token {name}; revoke it first, or choose another name")
    return name
