"""Addresses of web servers, as settings give them. Faults never quote one: it may hold a token."""

from urllib.parse import urlsplit


def web_address(value: str) -> str:
    """The address without a slash at its end.

    Raises:
        ValueError: it is none, or it holds a user name.
    """
    check_port(value)
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("must be http:// or https:// with a host, and without user name and password")
    return value.rstrip("/")


def base_address(value: str) -> str:
    """An address to which a path is added.

    Raises:
        ValueError: as `web_address`; or something stands behind its path.
    """
    if "?" in value or "#" in value:
        raise ValueError("must end with its host or a path: nothing may stand behind a ? or a #")
    return web_address(value)


def check_port(url: str) -> None:
    """See that an address can be taken apart.

    Raises:
        ValueError: it cannot.
    """
    try:
        _ = urlsplit(url).port
    except ValueError:
        # The library's own text quotes what it took for the port, which may be half a password.
        raise ValueError(
            "an address has no usable port: is a special character in its password not percent-encoded?"
        ) from None
