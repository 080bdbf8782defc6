"""Asking a board: requests, answers and notices, whichever way the bytes travel.

Owns ids, retries and the stop-and-wait rule. Knows neither ports nor brokers: a transport sends the bytes of
a message and hands over those that arrive. Reads are repeated when no answer comes. Writes are only when they
are signed, byte for byte: the board then answers again and acts once. Else it may have acted.
"""

from __future__ import annotations

import logging
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import Any, Self

from greenmast.errors import NO_CONTACT, NOT_AUTHORISED, REFUSED, UserError
from greenmast.link.signer import CHALLENGE, Signer
from greenmast_protocol import labels, message, reason_text

log = logging.getLogger(__name__)

TRIES = 3
_SIGN_TRIES = 3  # others may be faster with the same counter or nonce
_STALE = ("replayed", "expired")
NOTICES_MAX = 1000
_FIRST_ID_MAX = 1 << 30


def _sentence(answer: message.Message) -> str:
    """What a person is told: the board's own text, or the table's where it sent the bare code."""
    if answer.text and answer.text != answer.code:
        return answer.text
    return reason_text.TEXTS.get(answer.code) or answer.code


class RefusedError(UserError):
    """The board answered with an error: `code` and `message` as it gave them, `data` perhaps."""

    def __init__(self, code: str, text: str, data: object = None) -> None:
        super().__init__(f"{text} ({code})", NOT_AUTHORISED if code == "not_authorised" else REFUSED)
        self.code = code
        self.data = data


class NoContactError(UserError):
    """The port, the broker or the board does not answer."""

    def __init__(self, text: str) -> None:
        super().__init__(text, NO_CONTACT)


class Link(ABC):
    """One board at the other end. Not for use by several threads at once."""

    answer_s = 2.0  # how long one try waits
    request_bytes: int | None = None  # how long a request may be, in its frame; None: as long as any is
    stage_bytes = 87  # of a document in one request: what a line of the serial console has room for

    def __init__(self, name: str, signer: Signer | None = None) -> None:
        self.name = name
        self._signer = signer
        self._id = random.randrange(1, _FIRST_ID_MAX)  # answers meant for an earlier process must not fit
        self._notices: deque[message.Message] = deque(maxlen=NOTICES_MAX)
        self._foreign_table = ""

    @abstractmethod
    def _send(self, body: bytes) -> None:
        """Send the JSON bytes of a message. Raises NoContactError."""

    @abstractmethod
    def _receive(self, timeout_s: float) -> bytes | None:
        """JSON bytes of the next message that arrives within `timeout_s`, or None. Raises NoContactError."""

    @abstractmethod
    def close(self) -> None:
        """Release the transport. The link is of no use afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hello(self) -> dict[str, Any]:
        """Who is there. A board with another point table is read from, with a warning, but not commanded."""
        hello: dict[str, Any] = self.call("hello")
        table = str(hello.get("table", ""))
        if table != labels.TABLE_HASH:
            self._foreign_table = table or "none"
            log.warning(
                "%s has point table %s, this host %s: values may be incomplete, commands are off",
                self.name,
                self._foreign_table,
                labels.TABLE_HASH,
            )
        return hello

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        """The result of `method`. `timeout_s` is for one try; reads and signed writes have three.

        Raises RefusedError when the board answers with an error, NoContactError when it does not answer.
        """
        read = method in message.READS
        if not read and self._foreign_table:
            raise RefusedError(
                "unknown",
                f"{self.name} has another point table ({self._foreign_table}) than this host: no commands",
            )
        if self._signer and not read:
            return self._call_signed(self._signer, method, params, timeout_s or self.answer_s)
        for _ in range(TRIES if read else 1):
            body = message.request(self._next_id(), method, params)
            answer = self._ask(body, timeout_s or self.answer_s)
            if answer is not None:
                return _result(answer)
        raise self._silence(method)

    def _call_signed(
        self, signer: Signer, method: str, params: dict[str, Any] | None, timeout_s: float
    ) -> Any:
        """As `call`. The same bytes are sent again when no answer comes: the board acts on them once.

        What the board took for old is signed anew, unless it may have acted on it and acting twice is not as
        once.
        """
        for more in range(_SIGN_TRIES - 1, -1, -1):
            told = self.call(CHALLENGE, signer.question)
            body = signer.sign(self._next_id(), method, params, told)
            answer, tried = None, 0
            while answer is None and tried < TRIES:
                answer = self._ask(body, timeout_s)
                tried += 1
            if answer is None:
                break
            if answer.kind != message.ERROR or answer.code not in _STALE or not more:
                return _result(answer)
            if answer.code == "replayed" and tried > 1 and not method.startswith("config."):
                text = "has had it, and its answer is lost; whether it was done is not known"
                raise RefusedError(answer.code, f"{self.name} {text}")
        raise self._silence(method)

    def _silence(self, method: str) -> NoContactError:
        doubt = "" if method in message.READS else "; whether it was done is not known"
        return NoContactError(f"no answer from {self.name} to {method}{doubt}")

    def _next_id(self) -> int:
        self._id = self._id % message.ID_MAX + 1
        return self._id

    def _ask(self, body: bytes, timeout_s: float) -> message.Message | None:
        """The answer to `body`, whose id is the newest; None when none comes in time."""
        self._send(body)
        return self._answer(self._id, timeout_s)

    def notice(self, timeout_s: float) -> message.Message | None:
        """The next unsolicited message, or None when none comes within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not self._notices:
            data = self._receive(max(0.0, deadline - time.monotonic()))
            if data is None:
                return None
            self._sort_in(data)
        return self._notices.popleft()

    def _answer(self, id_: int, timeout_s: float) -> message.Message | None:
        """The answer to request `id_`; late answers to earlier ones are dropped, notices kept."""
        deadline = time.monotonic() + timeout_s
        while (data := self._receive(max(0.0, deadline - time.monotonic()))) is not None:
            answer = self._sort_in(data)
            if answer is not None and (
                answer.id == id_ or (answer.id is None and answer.kind == message.ERROR)
            ):
                return answer
        return None

    def _sort_in(self, data: bytes) -> message.Message | None:
        """A result or an error; anything else is kept (notices) or reported (problems)."""
        m = message.parse(data)
        if m.kind in (message.RESULT, message.ERROR):
            return m
        if m.kind == message.NOTICE:
            self._notices.append(m)
        elif m.kind == message.PROBLEM:
            log.warning("%s sent something that is not a message: %s", self.name, m.text)
        return None


def _result(answer: message.Message) -> Any:
    """What an answer carries. Raises RefusedError when it is an error."""
    if answer.kind == message.ERROR:
        raise RefusedError(answer.code, _sentence(answer), answer.data)
    return answer.result
