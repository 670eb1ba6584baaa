"""Browser sessions: a signed cookie that says whose token it stands for; nothing is kept here but the key."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from admin_api.auth.errors import explained
from admin_api.auth.expiring_file import ExpiringFile
from admin_api.auth.private_file import PrivateFile, Stamp
from admin_api.auth.roles import Role
from admin_api.auth.tokens import Token

COOKIE = "antrian_session"
#: Seconds.
LONGEST = 12 * 3600.0
#: Seconds that the clocks of two replicas may differ.
_CLOCKS_DIFFER = 60.0
_KEY_BYTES = 32
_SIGNING = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
_REMEDY = "remove it; everyone will have to log in again"


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login.

    Attributes:
        id: of this login.
        token_id: whose it is.
        role: what the token was for at that time; another role ends the session.
        issued: unix seconds.
        csrf: what unsafe requests must carry.
    """

    id: str
    token_id: str
    role: str
    issued: float
    csrf: str


class Sessions:
    """Begins, recognises and ends sessions. Replicas with the same folder share them.

    Every method may raise AccessUnreadable.

    Args:
        folder: the one of the tokens' file.
    """

    def __init__(self, folder: Path) -> None:
        self._key_file = PrivateFile(folder / "session.key")
        self._ended = ExpiringFile(folder / "ended-sessions.json")
        self._signer: tuple[Stamp | None, URLSafeSerializer] | None = None

    def begin(self, token: Token, now: float) -> str:
        """The cookie of a new session."""
        session = LoginSession(secrets.token_hex(8), token.id, token.role, now, secrets.token_urlsafe(24))
        return str(self._signed().dumps(asdict(session)))

    def read(
        self, cookie: str, token_of: Callable[[str], Token | None], now: float
    ) -> tuple[LoginSession, Token] | None:
        """The session of a cookie and its token; None if it is forged, over, or its token is not what it was."""
        try:
            session = LoginSession(**self._signed().loads(cookie))
        except (BadData, TypeError):
            return None
        token = token_of(session.token_id)
        is_young = -_CLOCKS_DIFFER <= now - session.issued < LONGEST
        if not is_young or token is None or token.role != session.role or token.role is Role.PUBLISHER:
            return None
        return None if self._ended.get(session.id, now) else (session, token)

    def end(self, session: LoginSession, now: float) -> None:
        """The session's cookie is not accepted any more, wherever a copy of it may be."""
        self._ended.add(session.id, "ended", until=session.issued + LONGEST, now=now)

    def _signed(self) -> URLSafeSerializer:
        with explained(self._key_file.path, _REMEDY):
            stamp = self._key_file.stamp()
            if self._signer is None or stamp != self._signer[0]:
                key = self._key()
                # Asked again: the key may have been made just now.
                stamp = self._key_file.stamp()
                self._signer = (stamp, URLSafeSerializer(key, salt="antrian session", signer_kwargs=_SIGNING))
            return self._signer[1]

    def _key(self) -> bytes:
        with self._key_file.locked():
            key = self._key_file.read()
            if key is None:
                key = secrets.token_hex(_KEY_BYTES).encode()
                self._key_file.write(key)
        if len(key) < 2 * _KEY_BYTES:
            # With the key, a session of any user could be forged.
            raise ValueError("too short to be a key")
        return key
