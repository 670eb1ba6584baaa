"""Certificates of a test's own, made with the openssl program."""

import subprocess
from pathlib import Path


class Authority:
    """Signs certificates; everything is in one folder.

    Args:
        folder: an empty folder.
        name: in front of its files, so that two authorities can share the folder.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        constraint = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self._openssl("req", "-x509", "-days", "2", "-subj", f"/CN=test {name}", *constraint, *self._new(self._key))

    def sign(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """A certificate and its key.

        Args:
            name: the common name, and the files' name.
            alternatives: such as `DNS:localhost`.
        """
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        names = ",".join(alternatives or (f"DNS:{name}",))
        more = ("-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE")
        by = ("-CA", str(self.certificate), "-CAkey", str(self._key))
        self._openssl("req", "-x509", "-days", "2", "-subj", f"/CN={name}", *more, *by, *self._new(key, certificate))
        return certificate, key

    def _new(self, key: Path, certificate: Path | None = None) -> tuple[str, ...]:
        out = certificate or self.certificate
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        return (*kind, "-keyout", str(key), "-out", str(out))

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
        for key in self._folder.glob("*.key"):
            # The broker reads it in its container as another user.
            key.chmod(0o644)
