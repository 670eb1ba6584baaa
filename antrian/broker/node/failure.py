"""Why a private node did not start, in one sentence."""

import re
import shutil
from pathlib import Path

from antrian.broker.node.files import LEAST_DISK, NodeFiles

_SIGNS = (
    (("enospc", "no space left"), "the disk is full"),
    (("edquot", "quota exceeded"), "the disk quota is used up"),
    (("erofs", "read-only file system"), "the disk is read-only"),
    (("eacces", "permission denied"), "a file in it belongs to another user"),
    (("eaddrinuse", "address already in use"), "another program has taken one of its ports"),
    (("cannot allocate memory", "enomem"), "there is not enough memory"),
)

_PATTERN_SIGNS = frozenset("[]{}?*\\")


def disk_is_too_full(folder: Path, *, least: int = LEAST_DISK) -> str | None:
    """The sentence to refuse a start with when the disk of `folder` has no more than `least` bytes free, else None."""
    free = shutil.disk_usage(folder).free
    if free > least:
        return None
    return (
        f"the disk of {folder} has {free // 10**6} MB free, and the private broker accepts no messages "
        f"below {least // 10**6} MB: make room, or set ANTRIAN_HOME to a folder on another disk"
    )


def path_is_unusable(folder: Path) -> str | None:
    r"""The sentence to refuse a start with when RabbitMQ would lose messages kept under this path, else None.

    At a restart it looks for the files of quorum queues by pattern: in a path with `[`, `{`, `?`, `*` or a backslash it
    finds none of them, and starts with empty queues. A path that is not UTF-8 it cannot read at all.
    """
    if not _PATTERN_SIGNS & set(str(folder)) and str(folder).isprintable():
        return None
    return (
        f"the private broker cannot keep messages in {str(folder)!r}: set ANTRIAN_HOME to a folder "
        r"whose path has none of [ ] { } ? * \ and no control characters"
    )


def why_it_ended(files: NodeFiles) -> str:
    """Read the node's own words after it ended during its start."""
    if problem := disk_is_too_full(files.folder):
        return problem
    said = files.console.read_text(encoding="utf-8", errors="replace")
    known = next((cause for signs, cause in _SIGNS if any(sign in said.lower() for sign in signs)), None)
    cause = known or _own_words(said) or "it ended by itself"
    return f"the private broker in {files.folder} did not start: {cause} (see {files.console})"


def _own_words(said: str) -> str | None:
    # RabbitMQ puts the cause of a failed boot on one such line.
    found = re.search(r"ERROR: (.+)", said)
    return found[1].strip() if found else None
