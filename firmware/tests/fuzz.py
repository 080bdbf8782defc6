"""Coverage-guided fuzzing of everything that takes bytes from outside.

    python firmware/tests/fuzz.py --seconds 600 --seed 1 [decoder ...]

Each decoder gets that many seconds. Inputs grow out of good ones by small changes; one that makes the code
take a new step from line to line is kept and changed further. A decoder may refuse as it says it does; any
other exception, or a broken promise, is a failure: printed with its input, exit status 1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from greenmast_fw.core import site as site_facts
from greenmast_fw.mqtt import codec
from greenmast_protocol import config, frame, message, modbus_frame, params, strict_json

TRACED = ("greenmast_protocol", "greenmast_fw")
LENGTH_MAX = 3000
NUMBERS = (b"0", b"-1", b"1", b"127", b"128", b"255", b"256", b"65535", b"65536", b"-32768", b"2147483648")
NUMBERS += (b"9223372036854775807", b"9223372036854775808", b"1e999", b"1.5", b"true", b"null", b"00")
BYTES = (0, 1, 2, 0x0A, 0x0D, 0x20, 0x22, 0x23, 0x5C, 0x7B, 0x7D, 0x7F, 0x80, 0xC0, 0xFF)


@dataclass(frozen=True)
class Decoder:
    """`decode` gets any bytes; `seeds` are good inputs, `words` what is worth putting in."""

    decode: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()


def _frame(data: bytes) -> None:
    decoder = frame.FrameDecoder(240)
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        for kind, line in decoder.feed(piece):
            assert kind in (frame.FRAME, frame.TEXT, frame.PLAIN)
            assert 0 < len(line) <= 240
    assert decoder.feed(b"\n" + frame.encode(b'{"id":1}'))[-1] == (frame.FRAME, b'{"id":1}')


def _message(data: bytes) -> None:
    parsed = message.parse(data)
    if parsed.kind == message.PROBLEM:
        assert parsed.code in message.ERROR_CODES
        message.error(parsed.id, parsed.code, parsed.text)
    elif parsed.kind in (message.REQUEST, message.NOTICE):
        assert 0 < len(parsed.method) <= message.METHOD_LENGTH_MAX
        assert isinstance(parsed.params, dict)


def _mqtt(data: bytes) -> None:
    decoder = codec.Decoder(256)
    at = 0
    while True:
        try:
            kind = decoder.next()
        except ValueError:
            return
        if kind == codec.MORE:
            if at == len(data):
                return
            space = decoder.space()
            assert len(space) > 0
            piece = data[at : at + min(len(space), 100)]
            space[: len(piece)] = piece
            decoder.end += len(piece)
            at += len(piece)
        elif kind == codec.PUBLISH:
            codec.check_topic(decoder.topic)
            assert len(decoder.topic) + len(decoder.payload) < 256
        else:
            assert kind in (
                codec.CONNACK,
                codec.PUBACK,
                codec.SUBACK,
                codec.PINGRESP,
                5,
                6,
                7,
                11,
                codec.OVERSIZE,
            )


def _config(data: bytes) -> None:
    try:
        document: Any = strict_json.loads(data)
    except ValueError:
        return
    problems = config.problems(document)
    assert all(isinstance(place, str) and isinstance(text, str) for place, text in problems)
    if not problems:
        params.complete(document["params"])
        site_facts.from_config(document)


def _modbus(data: bytes) -> None:
    """The first byte chooses the request, the rest is what comes back."""
    request = bytearray(64)
    function = (1, 3, 4, 6)[data[0] & 3] if data else 3
    modbus_frame.build(request, 1, function, 0, 2)
    reply = data[1:]
    verdict = modbus_frame.check(request, reply, len(reply))
    assert modbus_frame.verdict_name(verdict)
    if verdict == modbus_frame.OK:
        assert len(reply) == modbus_frame.reply_length(request)
        assert modbus_frame.crc16(reply, len(reply)) == 0
    assert modbus_frame.missing(request, reply, len(reply)) >= 0


def _time(data: bytes) -> None:
    from greenmast_fw.drivers import sntp  # needs the names that `conftest` lends to CPython

    answer = sntp.read(data, b"question")
    assert answer in (sntp.NOTHING, sntp.KISS) or 0 <= answer < 1 << 33


def _documents() -> tuple[bytes, ...]:
    from greenmast import site as sites

    return tuple(json.dumps(sites.load(name).board_config()).encode() for name in sites.names())


def decoders() -> dict[str, Decoder]:
    """By name."""
    ask = b'{"id":7,"method":"get","params":{"points":["dc.bus_mv","battery.*"],"ages":true}}'
    error = b'{"id":7,"error":{"code":"mode","message":"x","data":[1,{"a":null}]}}'
    topic = b"greenmast/1/india-rural/req/cli-1"
    publish = bytes(codec.publish(topic, len(ask), 9, False)) + ask
    documents = _documents()
    names = tuple(b'"%s"' % name.encode() for name in ("id", "method", "params", "auth", "result", "error"))
    return {
        "frame": Decoder(_frame, (frame.encode(ask), b"12 app: text\n", ask + b"\r\n"), (b"#\n", b"} ")),
        "message": Decoder(_message, (ask, error, b'{"id":1,"result":{}}', b'{"method":"tele"}'), names),
        "mqtt": Decoder(
            _mqtt,
            (b"\x20\x02\x00\x00" + publish, b"\x90\x03\x00\x01\x01\x40\x02\x00\x09\xd0\x00", publish[:40]),
            (b"\x30\xff\xff\xff\x7f", b"\x32\x05\x00\x01t\x00\x01"),
        ),
        "config": Decoder(
            _config,
            documents,
            tuple(
                b'"%s"' % name.encode() for name in (*params.NAMES[:40], "zone", "time_server", "tls", "idle")
            ),
        ),
        "modbus": Decoder(
            _modbus, (b"\x01\x01\x03\x04\x00\x01\x00\x02\x2a\x32", b"\x01\x01\x83\x02\xc0\xf1")
        ),
        "time": Decoder(_time, (bytes((0x24, 2)) + bytes(22) + b"question" + b"\xec" * 16,), (b"question",)),
    }


class Steps:
    """Which steps from line to line the traced code has taken."""

    def __init__(self) -> None:
        self.known: set[tuple[int, int, int]] = set()
        self._fresh = False
        self._last = 0

    def run(self, decode: Callable[[bytes], None], data: bytes) -> bool:
        """Decode; whether there was a step never taken before."""
        self._fresh = False
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            decode(data)
        finally:
            sys.settrace(before)
        return self._fresh

    def _enter(self, frame_: FrameType, event: str, argument: object) -> Any:
        name = frame_.f_globals.get("__name__", "")
        return self._line if name.startswith(TRACED) else None

    def _line(self, frame_: FrameType, event: str, argument: object) -> Any:
        step = (id(frame_.f_code), self._last, frame_.f_lineno)
        self._last = frame_.f_lineno
        if step not in self.known:
            self.known.add(step)
            self._fresh = True
        return self._line


def change(chance: random.Random, corpus: list[bytes], words: tuple[bytes, ...]) -> bytes:
    """A known input, changed in one to four places."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 8, 64)))
        kind = chance.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = chance.choice(BYTES)
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end] * chance.choice((1, 1, 4, 16))
        elif kind == 4:
            data[at:end] = chance.choice(NUMBERS)
        elif kind == 5 and words:
            data[at:at] = chance.choice(words)
        elif kind == 6:
            other = chance.choice(corpus)
            data[at:] = other[chance.randrange(len(other) + 1) :]
        else:
            del data[at:]
    return bytes(data[:LENGTH_MAX])


def fuzz(name: str, decoder: Decoder, seconds: float, seed: int) -> dict[str, Any]:
    """{"decoder", "executions", "steps", "kept", "failures": [(input, traceback)]}."""
    chance = random.Random(seed)
    steps = Steps()
    corpus = list(decoder.seeds)
    waiting = list(decoder.seeds)
    failures: list[tuple[bytes, str]] = []
    executions = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(failures) < 5:
        data = waiting.pop() if waiting else change(chance, corpus, decoder.words)
        executions += 1
        try:
            if steps.run(decoder.decode, data):
                corpus.append(data)
        except Exception:  # noqa: BLE001  whatever it is, it is what this looks for
            failures.append((data, traceback.format_exc()))
    found = {"executions": executions, "steps": len(steps.known), "kept": len(corpus)}
    return {"decoder": name, **found, "failures": failures}


def main() -> int:
    """Run from the command line."""
    import conftest  # noqa: F401  the one beside this file

    known = decoders()
    parser = argparse.ArgumentParser(description="Fuzz the decoders.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each decoder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("decoder", nargs="*", choices=[*known, []], help=", ".join(known))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    failed = False
    for name in options.decoder or known:
        result = fuzz(name, known[name], options.seconds, options.seed)
        print(
            f"{name:<8} {result['executions']:>9} executions, {result['steps']} steps, "
            f"{result['kept']} inputs kept, {len(result['failures'])} failures",
            flush=True,
        )
        for data, trace in result["failures"]:
            failed = True
            print(f"  input {data!r}\n{trace}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
