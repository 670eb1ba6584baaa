"""Numbers as viewers see them: by the same rule as everywhere else."""

from broker.phone_number import mask as mask_number
from broker.private_text import DOTS, hide_numbers

__all__ = ["DOTS", "hide_numbers", "mask_number"]
