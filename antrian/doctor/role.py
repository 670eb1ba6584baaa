"""What a machine, and its broker user, is for."""

from enum import StrEnum


class BrokerRole(StrEnum):
    """One of the three users of `antrian.broker.definitions`."""

    PUBLISHER = "publisher"
    CONSUMER = "consumer"
    ADMIN = "admin"
