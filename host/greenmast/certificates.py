"""Certificates for TLS: what a board gets, and with what the host's own connections prove themselves.

A board's MicroPython reads DER and no PEM, one certificate a file. The host's come from the environment, as
a broker's URL has no place for them.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from greenmast.errors import BAD_INPUT_FILE, UserError

# Names on the board, beside its configuration: see firmware/greenmast_fw/services/credentials.py.
BOARD_NAMES = {"ca": "ca.der", "cert": "cert.der", "key": "key.der"}
CA, CERT, KEY = (f"GREENMAST_TLS_{name}" for name in ("CA", "CERT", "KEY"))
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)
_DER = b"\x30"  # a SEQUENCE


def der(kind: str, path: Path) -> bytes:
    """The one certificate (`kind` "ca" or "cert") or private key ("key") in a PEM or DER file.

    Raises UserError with the place and the remedy.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"[mqtt] {kind}: {path} cannot be read: {error.strerror}", BAD_INPUT_FILE) from None
    if content.startswith(_DER):
        return content
    wanted = "PRIVATE KEY" if kind == "key" else "CERTIFICATE"
    blocks = [body for label, body in _PEM.findall(content) if label.decode().endswith(wanted)]
    if len(blocks) != 1:
        text = f"holds {len(blocks)} of {wanted} where a board takes one"
        raise UserError(f"[mqtt] {kind}: {path} {text}", BAD_INPUT_FILE)
    if b"ENCRYPTED" in content:
        text = "is locked with a password; the board has none: openssl pkey -in .. -out .."
        raise UserError(f"[mqtt] {kind}: {path} {text}", BAD_INPUT_FILE)
    try:
        return base64.b64decode(b"".join(blocks[0].split()), validate=True)
    except binascii.Error:
        raise UserError(f"[mqtt] {kind}: {path} is damaged", BAD_INPUT_FILE) from None


def board_files(mqtt: Mapping[str, Any], folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """What a board needs for TLS, by name on its flash, and what is wrong with that.

    `mqtt`: a site file's section of that name; its paths count from `folder`.
    """
    files: dict[str, bytes] = {}
    problems = []
    for kind, name in BOARD_NAMES.items():
        path = mqtt.get(kind)
        if path is None and not mqtt.get("tls"):
            continue
        if not isinstance(path, str):
            problems.append(f"[mqtt] {kind}: missing: tls needs the files ca, cert and key")
        elif not mqtt.get("tls"):
            problems.append(f"[mqtt] {kind}: of no use without tls = true")
        else:
            try:
                files[name] = der(kind, folder / path)
            except UserError as error:
                problems.append(error.message)
    return files, problems


def client_context() -> ssl.SSLContext:
    """For the host's own connections to a broker.

    Environment: GREENMAST_TLS_CA (an authority's file instead of the system's), GREENMAST_TLS_CERT and
    GREENMAST_TLS_KEY (what the broker may ask for). Raises UserError.
    """
    authority, certificate, key = (os.environ.get(name) for name in (CA, CERT, KEY))
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(f"{CA}, {CERT}, {KEY}: not usable: {error}", BAD_INPUT_FILE) from None
    return context
