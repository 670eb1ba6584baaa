"""Links that log in once, for the user of the machine that `antrian up` runs on."""

import hashlib
import secrets
import time

from admin_api.auth.expiring_file import ExpiringFile
from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.auth.urls import LOGIN
from antrian.domain.settings import Settings

#: Seconds that a link is good for.
GOOD_FOR = 600.0
#: The name of the token that `antrian up` logs in with.
_FIRST_NAME = "up"


def ensure_first_token(settings: Settings) -> str:
    """The id of an admin's token for the links of `antrian up`; made if it is missing, and its text never shown.

    Raises:
        AccessUnreadable: the tokens' file cannot be used.
    """
    file = TokenFile(settings.tokens_file)
    by_name = {token.name: token for token in file.tokens().values()}
    ours = by_name.get(_FIRST_NAME)
    if ours is None:
        return file.create(Role.ADMIN, _FIRST_NAME, time.time())[0].id
    # Our name is taken by a token of another role; any admin's token will do then.
    admins = [ours, *by_name.values()]
    found = next((token for token in admins if token.role is Role.ADMIN), None)
    return (found or file.create(Role.ADMIN, None, time.time())[0]).id


def issue(settings: Settings, token_id: str, now: float) -> str:
    """A code that logs in once as the owner of a token, within ten minutes.

    Raises:
        AccessUnreadable: the codes' file cannot be used.
    """
    code = secrets.token_urlsafe(24)
    _codes(settings).add(_hash(code), token_id, until=now + GOOD_FOR, now=now)
    return code


def link(base: str, code: str) -> str:
    """The address that logs in.

    Args:
        base: `http://host:port` of the admin process.
        code: from `issue`.
    """
    return f"{base}{LOGIN}?once={code}"


def redeem(settings: Settings, code: str, now: float) -> str | None:
    """The token id behind a code, for the first who brings it; None if it is wrong, used or too old.

    Raises:
        AccessUnreadable: the codes' file cannot be used.
    """
    codes = _codes(settings)
    # A wrong code is answered without the lock: anyone can send them.
    return codes.take(_hash(code), now) if codes.get(_hash(code), now) else None


def _codes(settings: Settings) -> ExpiringFile:
    return ExpiringFile(settings.tokens_file.with_name("login-codes.json"))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
