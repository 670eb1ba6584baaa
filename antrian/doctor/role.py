"""What a machine, and its broker user, is for."""

from enum import StrEnum


class BrokerRole(StrEnum):
    """One of the four users of `antrian.broker.definitions`."""

    PUBLISHER = "publisher"
    CONSUMER = "consumer"
    ADMIN = "admin"
    RECEIPTS = "receipts"
