"""What viewers may not see, they may not search for either: letter by letter a search would tell them."""

from admin_api.access.guard import Actor
from admin_api.web.problems import Problem
from broker.errors import InvalidPhoneNumber
from broker.phone_number import normalize


def check_search(actor: Actor, *, phone_number: str | None, text: str | None, key_prefix: str | None = None) -> None:
    """Make sure that a search tells nothing that is covered for this reader.

    Raises:
        Problem: 403, when a viewer searches in texts, or for a part of a number or key.
    """
    if not actor.is_masked:
        return
    if text is not None:
        raise Problem(403, "Your role does not allow this", "only operators may search in texts", code="role")
    if key_prefix is not None:
        raise Problem(403, "Your role does not allow this", "viewers may search for whole keys only", code="role")
    if phone_number is not None and not _is_whole(phone_number):
        raise Problem(403, "Your role does not allow this", "viewers may search for whole numbers only", code="role")


def _is_whole(phone_number: str) -> bool:
    try:
        normalize(phone_number)
    except InvalidPhoneNumber:
        return False
    return True
