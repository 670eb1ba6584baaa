"""What Antrian keeps on this machine: who may read it, and whether there is room."""

import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from admin_api.auth.errors import AccessUnreadable
from admin_api.auth.tokens import TokenFile
from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.settings import Settings

FILES = "files"
TOKENS = "tokens"
DISK = "disk"

#: Bytes free below which RabbitMQ's private node stops, and below which an operator should look.
_TOO_LITTLE, _LITTLE = 300 * 10**6, 2 * 10**9

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class PrivatePath:
    """A file that other users must not read.

    Attributes:
        path: where.
        mode: its permission bits.
    """

    path: Path
    mode: int


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The tokens' file.

    Attributes:
        path: where it is, or would be.
        count: tokens in it; None when it cannot be read.
        trouble: why not.
    """

    path: Path
    count: int | None
    trouble: str = ""


def check_files(files: Sequence[PrivatePath]) -> Iterator[Finding]:
    """Whether others can read what they must not."""
    for file in files:
        if file.mode & stat.S_IWOTH:
            yield problem(
                FILES,
                f"Every user of this machine can change {file.path}.",
                f"Run `chmod 600 {file.path}`.",
            )
        elif file.mode & _OTHERS:
            yield warning(FILES, f"Other users of this machine can read {file.path}.", f"Run `chmod 600 {file.path}`.")
    if all(not file.mode & _OTHERS for file in files):
        yield ok(FILES, f"{len(files)} private files belong to their owner alone.")


def check_tokens(tokens: TokenFacts) -> Finding:
    """Whether anybody can log in."""
    if tokens.count is None:
        return problem(TOKENS, f"Nobody can log in: {tokens.trouble}.", "Correct the file, or restore a copy of it.")
    if tokens.count == 0:
        return warning(
            TOKENS,
            f"There is no token in {tokens.path}, so nobody can log in.",
            "`antrian token create --role admin` creates the first one.",
        )
    return ok(TOKENS, "1 token is in use." if tokens.count == 1 else f"{tokens.count} tokens are in use.")


def check_disk(folder: Path, free: int) -> Finding:
    """Whether there is room for the history (and the private node)."""
    room = f"{free / 1e9:.1f}"
    if free < _TOO_LITTLE:
        return problem(
            DISK,
            f"Only {room} GB are free where {folder} is.",
            "Free some: the history cannot grow, and neither can a broker there.",
        )
    if free < _LITTLE:
        return warning(
            DISK, f"Only {room} GB are free where {folder} is.", "Free some before the history can no longer grow."
        )
    return ok(DISK, f"{room} GB are free where {folder} is.")


def look_at_files(settings: Settings) -> list[PrivatePath]:
    """Tokens, keys and histories, as far as they are there."""
    access = settings.tokens_file.parent
    candidates = [settings.tokens_file, access / "session.key", access / "login-codes.json"]
    candidates += sorted(settings.antrian_home.glob("history-*.db"))
    return [_private(path) for path in candidates if path.is_file()]


def look_at_tokens(settings: Settings) -> TokenFacts:
    """Read the tokens' file."""
    path = settings.tokens_file
    try:
        return TokenFacts(path, len(TokenFile(path).tokens()))
    except AccessUnreadable as error:
        return TokenFacts(path, None, str(error))


def look_at_disk(settings: Settings) -> tuple[Path, int]:
    """The folder, and the bytes that are free where it is (or will be)."""
    folder = settings.antrian_home
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    return folder, shutil.disk_usage(there).free


def _private(path: Path) -> PrivatePath:
    return PrivatePath(path, stat.S_IMODE(path.stat().st_mode))
