"""A TLS certificate that nobody can trust, made afresh: self-signed, for 127.0.0.1, on the curve P-256.

The standard library can use certificates and cannot make them; what is needed of it is little: RFC 5280, FIPS 186-5 and
SEC 1. Nothing here is fit to protect anything: it takes no care of who measures its time.
"""

import base64
import hashlib
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_Point = tuple[int, int] | None

_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

#: Object identifiers, encoded: ecPublicKey, prime256v1, ecdsa-with-SHA256, commonName, subjectAltName.
_EC, _CURVE = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06082a8648ce3d030107")
_SIGNED_WITH = bytes.fromhex("300a06082a8648ce3d040302")
_COMMON_NAME, _ALT_NAME = bytes.fromhex("0603550403"), bytes.fromhex("0603551d11")


def server_context() -> ssl.SSLContext:
    """The context of a server with such a certificate."""
    key = secrets.randbelow(_N - 1) + 1
    public = _point(_times(key, _G))
    certificate = _certificate(key, public)
    private = _sequence(b"\x02\x01\x01", _value(0x04, _number(key)), _value(0xA0, _CURVE), _value(0xA1, _bits(public)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.pem"
        both.write_text(_pem("EC PRIVATE KEY", private) + _pem("CERTIFICATE", certificate), encoding="ascii")
        context.load_cert_chain(both)
    return context


def _certificate(key: int, public: bytes) -> bytes:
    name = _sequence(_value(0x31, _sequence(_COMMON_NAME, _value(0x0C, b"conformance"))))
    now = datetime.now(UTC)
    days = (now - timedelta(days=1), now + timedelta(days=1))
    valid = _sequence(*(_value(0x17, day.strftime("%y%m%d%H%M%SZ").encode()) for day in days))
    address = _value(0x04, _sequence(_value(0x87, b"\x7f\0\0\1")))
    extensions = _value(0xA3, _sequence(_sequence(_ALT_NAME, address)))
    public_key = _sequence(_sequence(_EC, _CURVE), _bits(public))
    version, serial = _value(0xA0, _integer(2)), _integer(secrets.randbits(63) + 1)
    body = _sequence(version, serial, _SIGNED_WITH, name, valid, name, public_key, extensions)
    return _sequence(body, _SIGNED_WITH, _bits(_signature(key, body)))


def _signature(key: int, body: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(body).digest(), "big")
    while True:
        once = secrets.randbelow(_N - 1) + 1
        point = _times(once, _G)
        first = point[0] % _N if point else 0
        second = pow(once, -1, _N) * (digest + first * key) % _N
        if first and second:
            return _sequence(_integer(first), _integer(second))


def _times(factor: int, point: _Point) -> _Point:
    total: _Point = None
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total


def _sum(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    (x, y), (u, v) = one, other
    if x == u and (y + v) % _P == 0:
        return None
    # The curve's first coefficient is -3.
    slope = (3 * x * x - 3) * pow(2 * y, -1, _P) if one == other else (v - y) * pow(u - x, -1, _P)
    w = (slope * slope - x - u) % _P
    return w, (slope * (x - w) - y) % _P


def _point(point: _Point) -> bytes:
    x, y = point or (0, 0)
    return b"\x04" + _number(x) + _number(y)


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _integer(value: int) -> bytes:
    return _value(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _value(0x03, b"\0" + content)


def _sequence(*parts: bytes) -> bytes:
    return _value(0x30, b"".join(parts))


def _value(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:  # noqa: PLR2004 (the longest short form)
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _pem(kind: str, content: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(content).decode()}-----END {kind}-----\n"
