"""Numbers and files as viewers see them; numbers by the same rule as everywhere else."""

import re

from antrian.domain.phone_number import mask as mask_number
from antrian.domain.phone_number import shown_sender
from antrian.domain.private_text import DOTS, hide_numbers

__all__ = ["DOTS", "hide_address", "hide_folders", "hide_numbers", "mask_number", "shown_sender"]

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/]+/)+")


def hide_address(provider_id: str) -> str:
    """A provider's id without the recipient's number, which some put into it: `true_6281234567890@c.us_3EB0`."""
    return hide_numbers(provider_id) if "@" in provider_id else provider_id


def hide_folders(words: str) -> str:
    """Words that name files of this machine, without the folders that these are in."""
    return _FOLDERS.sub("…/", words)
