"""What the board proves itself with on TLS: its certificate and key, and the authority that it trusts.

The files lie beside the configuration, in DER, as stock MicroPython reads no PEM. Loaded for one call. It
must not decide whether to connect: without a file no handshake can succeed, which is the safe end of it.
"""

import tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.services.journal import Journal

AUTHORITY = "ca.der"
CERTIFICATE = "cert.der"
KEY = "key.der"


def context(journal: "Journal") -> "Any":
    """A client's TLS context that checks the broker's certificate and host name.

    A file that is missing or damaged is told in the journal.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED
    try:
        made.load_verify_locations(_content(AUTHORITY))
        made.load_cert_chain(_content(CERTIFICATE), _content(KEY))
    except (OSError, ValueError) as error:
        journal.write("tls", "certificates: %r" % error)
    return made


def _content(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()
