"""The gate of a link that anybody may send to: who proves with a key who he is may write, others may read.

Owns what has to be remembered between messages; how they are judged is `proof`, loaded when one has a proof.
Rights come with the key, whole or not at all; a table of roles would belong into `proof`.
"""

from greenmast_fw.services import overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from greenmast_fw.services.rpc import Pieces
    from greenmast_protocol.message import Message

    class Wall(Protocol):
        trusted: bool

        def now_s(self) -> int: ...

    class Scan(Protocol):
        uptime_ms: int


ANSWER_MAX = 256  # bytes of an answer that is kept for a repetition


class Gate:
    """`nonce` is outstanding since `nonce_ms` of uptime; `mac` is of the last message, `answer` what came."""

    def __init__(self, site: str, scan: "Scan", wall: "Wall") -> None:
        self.site = site
        self.scan = scan
        self.wall = wall
        self.nonce = ""
        self.nonce_ms = 0
        self.mac = ""
        self.answer = b""

    def challenge(self, params: "dict[str, Any]") -> "dict[str, object]":
        """What a sender has to know: {"nonce", "ctr", "now", "trusted"}. Raises RefusedError."""
        return overlay.run(_challenge, self, params)

    def admit(self, m: "Message", data: bytes) -> bytes:
        """Let `m`, which came as `data`, in or raise RefusedError.

        Not empty when these very bytes were the last to be let in: then it is what was answered, and nothing
        may be done again.
        """
        return overlay.run(_admit, self, m, data)

    def keep(self, answer: "Pieces") -> None:
        """`answer` is that to the message let in last."""
        if sum([len(piece) for piece in answer]) <= ANSWER_MAX:
            self.answer = b"".join(answer)


def _challenge(gate: Gate, params: "dict[str, Any]") -> "dict[str, object]":
    from greenmast_fw.services import proof

    return proof.challenge(gate, params)


def _admit(gate: Gate, m: "Message", data: bytes) -> bytes:
    from greenmast_fw.services import proof

    return proof.admit(gate, m, data)
