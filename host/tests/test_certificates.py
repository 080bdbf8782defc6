"""Certificates in a site file: what the board gets, and what is refused with a remedy."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greenmast import certificates
from greenmast import site as sites
from greenmast.errors import BAD_INPUT_FILE, UserError

INDIA = Path(sites.__file__).parent / "sites" / "india-rural.toml"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
FORMAT = serialization.PrivateFormat.PKCS8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with own.pem, own.der, key.pem, locked.pem, two.pem and junk.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "board")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(PEM)
    plain = serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"secret")
    for file, content in {
        "own.pem": b"Subject: board\n" + pem,
        "own.der": certificate.public_bytes(DER),
        "two.pem": pem + pem,
        "key.pem": key.private_bytes(PEM, FORMAT, plain),
        "key.der": key.private_bytes(DER, FORMAT, plain),
        "locked.pem": key.private_bytes(PEM, FORMAT, locked),
        "junk.pem": b"nothing of the kind",
        "damaged.pem": pem.replace(b"MI", b"*I", 1),
    }.items():
        (folder / file).write_bytes(content)
    return folder


@pytest.mark.parametrize("kind", ["cert", "key"])
def test_pem_and_der_give_the_board_the_same(kind: str, made: Path) -> None:
    name = {"cert": "own", "key": "key"}[kind]
    from_pem = certificates.der(kind, made / f"{name}.pem")
    assert from_pem == certificates.der(kind, made / f"{name}.der") == (made / f"{name}.der").read_bytes()


@pytest.mark.parametrize(
    ("kind", "file", "reason"),
    [
        ("ca", "two.pem", "holds 2 of CERTIFICATE"),
        ("ca", "junk.pem", "holds 0 of CERTIFICATE"),
        ("cert", "key.pem", "holds 0 of CERTIFICATE"),
        ("key", "own.pem", "holds 0 of PRIVATE KEY"),
        ("key", "locked.pem", "password"),
        ("cert", "damaged.pem", "damaged"),
        ("cert", "missing.pem", "cannot be read"),
    ],
)
def test_what_a_board_cannot_use_is_refused_with_its_place(
    kind: str, file: str, reason: str, made: Path
) -> None:
    with pytest.raises(UserError, match=reason) as refused:
        certificates.der(kind, made / file)
    assert refused.value.exit_code == BAD_INPUT_FILE
    assert f"[mqtt] {kind}: {made / file}" in refused.value.message


def site_with(folder: Path, mqtt: str) -> sites.Site:
    head, tail = INDIA.read_text(encoding="utf-8").split("[mqtt]")
    section = f'[mqtt]\nhost = "broker.example"\nport = 8883\n{mqtt}\n[access]'
    (folder / "site.toml").write_text(head + section + tail.split("[access]")[1], encoding="utf-8")
    return sites.load(str(folder / "site.toml"))


def test_paths_count_from_the_site_file_and_stay_on_the_host(made: Path) -> None:
    site = site_with(made, 'tls = true\nca = "own.pem"\ncert = "own.pem"\nkey = "key.pem"')
    assert sorted(site.board_files) == ["ca.der", "cert.der", "key.der"]
    assert site.board_config()["mqtt"] == {"host": "broker.example", "port": 8883, "tls": True}


@pytest.mark.parametrize(
    ("mqtt", "reasons"),
    [
        ("tls = true", ["[mqtt] ca: missing", "[mqtt] cert: missing", "[mqtt] key: missing"]),
        ('ca = "own.pem"', ["[mqtt] ca: of no use without tls = true"]),
        ('tls = "yes"\nca = "own.pem"\ncert = "own.pem"\nkey = "key.pem"', ["tls must be true or false"]),
        ('tls = true\nca = "x.pem"\ncert = "own.pem"\nkey = "key.pem"', ["x.pem cannot be read"]),
    ],
)
def test_half_a_set_is_refused_with_every_reason(mqtt: str, reasons: list[str], made: Path) -> None:
    with pytest.raises(UserError) as refused:
        site_with(made, mqtt)
    assert all(reason in refused.value.message for reason in reasons)


def test_a_file_for_the_hosts_own_connection_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GREENMAST_TLS_CA", "/no/such.pem")
    with pytest.raises(UserError, match="GREENMAST_TLS_CA"):
        certificates.client_context()
