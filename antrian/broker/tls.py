"""TLS to the broker, as the address asks for it with the query parameters that RabbitMQ's own clients know.

    amqps://host/%2F?cacertfile=ca.pem&certfile=client.pem&keyfile=client.key&auth_mechanism=external

    cacertfile                the authority that signed the broker's certificate; without it, the system's authorities
    certfile, keyfile         our own certificate, for a broker that asks for one
    server_name_indication    the name that the broker's certificate must have, where it is not the host's
    auth_mechanism=external   the certificate says who we are; no user name, no password

The broker's certificate is always checked: `verify=verify_none` is refused.
"""

import re
import ssl
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pika
from pika.credentials import ExternalCredentials

from antrian.domain.errors import BrokerRefused, SettingsError

_WORDS = {"cacertfile", "certfile", "keyfile", "server_name_indication", "auth_mechanism", "verify"}

#: The other side's complaint about us, in OpenSSL's words; pika keeps of it only the text.
_ALERT = re.compile(r"\[SSL: (?P<alert>\w*ALERT\w*)\]")


def without_tls_words(url: str) -> str:
    """The address without the query parameters that are meant for us: pika refuses what it does not know."""
    parts = urlsplit(url)
    kept = [word for word in parts.query.split("&") if word.partition("=")[0] not in _WORDS]
    return urlunsplit(parts._replace(query="&".join(kept)))


def apply_tls(parameters: pika.URLParameters, url: str) -> None:
    """Give the parameters of one address what its query asks for; an address without TLS is left as it is.

    Raises:
        SettingsError: a file cannot be used, or the broker's certificate is not to be checked.
    """
    parts = urlsplit(url)
    if parts.scheme != "amqps":
        return
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if asked.get("verify", "verify_peer") != "verify_peer":
        raise SettingsError(
            "AMQP_URL: verify must be verify_peer, because an unverified broker could be an impostor; "
            "name the authority that signed its certificate with cacertfile"
        )
    name = asked.get("server_name_indication", parameters.host)
    parameters.ssl_options = pika.SSLOptions(_context(asked), name)
    if asked.get("auth_mechanism", "").lower() == "external":
        parameters.credentials = ExternalCredentials()


def _context(asked: dict[str, str]) -> ssl.SSLContext:
    cafile, certfile, keyfile = (asked.get(name) for name in ("cacertfile", "certfile", "keyfile"))
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise SettingsError(f"AMQP_URL: cacertfile {cafile} cannot be used: {_reason(error)}") from error
    if keyfile and not certfile:
        raise SettingsError("AMQP_URL: keyfile needs a certfile")
    if certfile:
        try:
            # A key that wants a pass phrase would have it asked for on a terminal without an operator.
            context.load_cert_chain(certfile, keyfile, password=lambda: "")
        except OSError as error:
            both = f"{certfile} and keyfile {keyfile}" if keyfile else certfile
            raise SettingsError(f"AMQP_URL: certfile {both} cannot be used: {_reason(error)}") from error
    return context


def tls_trouble(error: BaseException, where: str) -> BrokerRefused | None:
    """What a failed handshake with `where` (host:port) means; None for any other error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = str(error.verify_message).rstrip(".")
        return BrokerRefused(
            f"the certificate of the broker at {where} is not trusted: {why}; "
            "AMQP_URL can name the authority that signed it (cacertfile) and the name in it (server_name_indication)"
        )
    if alert := _ALERT.search(str(error)):
        return BrokerRefused(
            f"the broker at {where} refuses our certificate ({_words(alert['alert'])}); "
            "AMQP_URL names it with certfile and keyfile"
        )
    if isinstance(error, ssl.SSLError) and error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return BrokerRefused(f"the broker at {where} does not speak TLS there: is it another port, or amqp://?")
    return None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return _words(error.reason or str(error))
    return (error.strerror or str(error)).lower()


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
