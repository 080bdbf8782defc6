"""Signs requests with a key, so that a board does what comes over a link that anybody may send to.

Owns what goes into a proof: the counter after the board's last one, and either a short life by the board's
clock or, when that is not to be trusted, the board's nonce. Knows no transport.
"""

from __future__ import annotations

from typing import Any

from greenmast.access import Key
from greenmast_protocol import auth, message

LIFE_S = 60  # from the challenge to the last repetition
CHALLENGE = "auth.challenge"


class Signer:
    """Signs for one `site` with one `key`."""

    def __init__(self, key: Key, site: str) -> None:
        self.key = key
        self._site = site

    @property
    def question(self) -> dict[str, Any]:
        """Parameters of the challenge to be asked for first."""
        return {"key": self.key.name}

    def sign(self, id_: int, method: str, params: dict[str, Any] | None, told: dict[str, Any]) -> bytes:
        """JSON bytes of the request with its proof; `told` is the board's challenge."""
        proof: dict[str, Any] = {"key": self.key.name, "ctr": int(told["ctr"]) + 1}
        if told["now"] is None:
            proof["nonce"] = told["nonce"]
        else:
            proof["exp"] = int(told["now"]) + LIFE_S
        return auth.signed(message.request(id_, method, params), proof, self.key.secret, self._site)
