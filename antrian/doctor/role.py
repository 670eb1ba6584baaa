"""What a machine, and its broker user, is for."""

from enum import StrEnum


class Role(StrEnum):
    """One of the three users of `broker.definitions`."""

    PUBLISHER = "publisher"
    CONSUMER = "consumer"
    ADMIN = "admin"
