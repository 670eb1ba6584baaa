"""Who may do what: three roles that include each other, and one that stands apart."""

from enum import StrEnum


class Role(StrEnum):
    """What a token is for."""

    #: Sees everything, with masked numbers and without texts.
    VIEWER = "viewer"
    #: Pauses, resumes, sends tests, puts dead letters back.
    OPERATOR = "operator"
    #: Clears, deletes, exports, undoes, reads the audit.
    ADMIN = "admin"
    #: Publishes messages, and nothing else; no other role may.
    PUBLISHER = "publisher"


_LADDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)


def allows(role: Role, needed: Role) -> bool:
    """Whether a client with `role` may do what needs `needed`."""
    if Role.PUBLISHER in {role, needed}:
        return role is needed
    return _LADDER.index(role) >= _LADDER.index(needed)
