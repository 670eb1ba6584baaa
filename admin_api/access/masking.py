"""Numbers and files as viewers see them; numbers by the same rule as everywhere else."""

import re

from broker.phone_number import mask as mask_number
from broker.private_text import DOTS, hide_numbers

__all__ = ["DOTS", "hide_folders", "hide_numbers", "mask_number"]

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/]+/)+")


def hide_folders(words: str) -> str:
    """Words that name files of this machine, without the folders that these are in."""
    return _FOLDERS.sub("…/", words)
