"""What tests of TLS share: an authority of their own, and what it signs."""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greenmast import certificates
from greenmast import site as sites

ELSEWHERE = "elsewhere.test"  # a host's certificate that is not good for 127.0.0.1


class Certificates:
    """An authority and what it signs, as DER files for the board and PEM files for Mosquitto."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys: dict[str, Any] = {}
        self._names: dict[str, Any] = {}

    def make(self, name: str, *, issuer: str, host: str | None = None, expired: bool = False) -> None:
        """Key and certificate in `<name>.{pem,key.pem,der,key.der}`; its own issuer is an authority."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = self._keys[name] = ec.generate_private_key(ec.SECP256R1())
        self._names[name] = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host or name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._names[name])
            .issuer_name(self._names[issuer])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=30))
            .not_valid_after(now + datetime.timedelta(days=-1 if expired else 30))
            .add_extension(x509.BasicConstraints(ca=issuer == name, path_length=None), critical=True)
        )
        if host:
            alternatives: list[x509.GeneralName] = [x509.DNSName(host)]
            if host != ELSEWHERE:
                alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(self._keys[issuer], hashes.SHA256())
        for suffix, encoding in (("pem", serialization.Encoding.PEM), ("der", serialization.Encoding.DER)):
            (self.folder / f"{name}.{suffix}").write_bytes(certificate.public_bytes(encoding))
            (self.folder / f"{name}.key.{suffix}").write_bytes(
                key.private_bytes(
                    encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
                )
            )

    def board(self, authority: str = "authority", client: str | None = "board") -> dict[str, str]:
        files = {"ca": f"{self.folder}/{authority}.der"}
        if client:
            files |= {"cert": f"{self.folder}/{client}.der", "key": f"{self.folder}/{client}.key.der"}
        return files


def house(folder: Path) -> Certificates:
    """An authority, its broker on 127.0.0.1, a board and a hub."""
    made = Certificates(folder)
    made.make("authority", issuer="authority")
    made.make("broker", issuer="authority", host="broker.test")
    made.make("board", issuer="authority")
    made.make("hub", issuer="authority")
    return made


@contextmanager
def environment(made: Certificates, name: str) -> Iterator[None]:
    """While the context is open, the host's processes prove themselves to brokers with this certificate."""
    told = {certificates.CA: "authority", certificates.CERT: name, certificates.KEY: f"{name}.key"}
    before = {variable: os.environ.get(variable) for variable in told}
    os.environ.update({variable: f"{made.folder}/{file}.pem" for variable, file in told.items()})
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable)
            else:
                os.environ[variable] = value


def site_file(folder: Path, site: str, port: int, made: Certificates) -> Path:
    """A shipped site as a file: its board talks TLS to this port. Certificates in PEM, as one gets them."""
    text = (Path(sites.__file__).parent / "sites" / f"{site}.toml").read_text(encoding="utf-8")
    head, tail = text.split("[mqtt]")
    mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ntls = true\nca = "{made.folder}/authority.pem"\n'
    mqtt += f'cert = "{made.folder}/board.pem"\nkey = "{made.folder}/board.key.pem"\n'
    file = folder / "site.toml"
    file.write_text(f"{head}{mqtt}[access]{tail.split('[access]')[1]}", encoding="utf-8")
    return file
