"""What can go wrong with tokens and logins.

AntrianError
├── AccessUnreadable    a file that decides who gets in cannot be used; until it is corrected, nobody does
└── TokenRefused        this token cannot be made
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antrian.domain.errors import AntrianError


class AccessUnreadable(AntrianError):
    """A file about access cannot be read, written or believed; the text names it and says why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"nobody can log in, because {path} cannot be used: {why}")


class TokenRefused(AntrianError):
    """A name that is taken, or that cannot be a name; nothing was changed."""


@contextmanager
def explained(path: Path, remedy: str) -> Iterator[None]:
    """Make one sentence of whatever goes wrong with a file.

    Args:
        path: of the file.
        remedy: what to do about a damaged one.

    Raises:
        AccessUnreadable: the system or the content was the trouble.
    """
    try:
        yield
    except OSError as error:
        raise AccessUnreadable(path, (error.strerror or "it cannot be read").lower()) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # A library's own words may quote a line of the file.
        raise AccessUnreadable(path, f"it is damaged; {remedy}") from error
