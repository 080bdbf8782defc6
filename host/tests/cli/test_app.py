"""What all commands share: exit codes, help, durations, missing extras, no stack traces."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from greenmast.cli import look, run
from greenmast.cli.app import app
from greenmast.cli.options import duration
from greenmast.errors import BAD_INPUT_FILE, UserError

runner = CliRunner()
COMMANDS = ["status", "watch", "explain", "get", "alarms", "demo", "emulate", "bench"]
COMMANDS += ["command", "device list", "device probe", "device read", "hub run", "scenario run"]


@pytest.fixture(autouse=True)
def _no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GREENMAST_PORT", "GREENMAST_MQTT", "GREENMAST_SITE", "GREENMAST_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def test_version_is_printed() -> None:
    done = runner.invoke(app, ["--version"])
    assert done.exit_code == 0
    assert done.stdout.startswith("greenmast 0.")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example(command: str) -> None:
    done = runner.invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert f"  greenmast {command}" in done.stdout
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["status"],
        ["status", "--mqtt", "mqtt://127.0.0.1"],
        ["status", "--port", "/dev/x", "--mqtt", "mqtt://y"],
        ["status", "--mqtt", "http://y", "--site", "a"],
        ["status", "--mqtt", "mqtt://y", "--site", "Not A Site"],
        ["get"],
        ["watch", "--for", "soon"],
        ["watch", "--every", "-1s"],
        ["demo", "--speed", "0"],
        ["emulate"],
        ["command", "no.such"],
        ["command", "genset.start"],
        ["command", "genset.start", "for_s"],
        ["command", "genset.start", "for_s=soon"],
        ["command", "genset.start", "for_s=1", "for_s=2"],
        ["command", "genset.start", "for_s=0"],
        ["command", "genset.stop", "for_s=1"],
        ["command", "source.select", "ac=moon", "for_s=60"],
        ["command", "genset.stop"],
        ["device", "list", "no-such"],
        ["device", "probe"],
        ["device", "probe", "--url", "/dev/ttyUSB0"],
        ["device", "probe", "--url", "serial:///dev/x?baud=no"],
        ["device", "probe", "--url", "tcp://x", "--baud", "9600"],
        ["device", "probe", "--url", "tcp://x", "--address", "300"],
        ["device", "read", "--url", "tcp://x"],
        ["device", "read", "no-such", "--url", "tcp://x"],
        ["scenario", "run"],
        ["scenario", "run", "x.toml", "--level", "moon"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_with_a_line_on_stderr(args: list[str]) -> None:
    done = runner.invoke(app, args)
    assert done.exit_code == 2
    assert done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "args", [["--port", "/dev/no-such"], ["--mqtt", "mqtt://127.0.0.1:1", "--site", "a"]]
)
def test_nobody_there_is_exit_3(args: list[str]) -> None:
    done = runner.invoke(app, ["status", *args])
    assert done.exit_code == 3
    assert done.stderr.startswith("greenmast: ")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("60s", 60), ("5m", 300), ("2h", 7200), ("1.5h", 5400), ("3d", 259_200)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0", "-5s", "5w", "nan", "inf", "1e9d", "5mm"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        duration(text)


def _room(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    """Puts a module of a few functions in the place of a room."""
    module = types.ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    parent, _, child = name.rpartition(".")
    monkeypatch.setattr(sys.modules[parent], child, module, raising=False)


def test_demo_passes_its_options_on_and_exits_with_the_rooms_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def room(site: str, **options: Any) -> int:
        seen.append((site, options))
        return 1

    _room(monkeypatch, "greenmast.demo", run=room)
    done = runner.invoke(app, ["demo", "off-grid", "--headless", "--for", "5m", "--speed", "2", "--json"])
    assert done.exit_code == 1
    options = {"headless": True, "for_s": 300.0, "speed": 2.0, "json_output": True, "seed": 1}
    assert seen == [("off-grid", options)]


@pytest.mark.parametrize(
    ("args", "name", "call"),
    [
        (
            ["emulate", "off-grid", "--tcp", "127.0.0.1:5020", "--seed", "3"],
            "greenmast.emulator.emulate",
            (("off-grid",), {"tcp": "127.0.0.1:5020", "pty": False, "speed": 1.0, "seed": 3}),
        ),
        (
            ["hub", "run", "--broker", "mqtt://b", "--web", "0.0.0.0:80", "--json"],
            "greenmast.hub",
            (("mqtt://b", None, "0.0.0.0:80"), {"json_output": True}),
        ),
        (["bench", "bus"], "greenmast.bench", ((["bus"],), {"json_output": False})),
    ],
    ids=["emulate", "hub run", "bench"],
)
def test_commands_pass_their_options_on(
    monkeypatch: pytest.MonkeyPatch, args: list[str], name: str, call: tuple[Any, Any]
) -> None:
    seen: list[Any] = []

    def room(*args: Any, **options: Any) -> int:
        seen.append((args, options))
        return 0

    importlib.import_module(name.rpartition(".")[0])
    _room(monkeypatch, name, run=room)
    done = runner.invoke(app, args)
    assert done.exit_code == 0, done.stderr
    assert seen == [call]


def test_a_users_mistake_in_a_room_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def room(site: str, **_: Any) -> int:
        raise UserError(f"{site}: no such file", BAD_INPUT_FILE)

    _room(monkeypatch, "greenmast.demo", run=room)
    done = runner.invoke(app, ["demo", "nowhere"])
    assert (done.exit_code, done.stderr) == (5, "greenmast: nowhere: no such file\n")


def test_a_defect_is_one_line_and_a_hint_but_no_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def room(*_: Any, **__: Any) -> int:
        raise ZeroDivisionError("oops")

    _room(monkeypatch, "greenmast.demo", run=room)
    done = runner.invoke(app, ["demo"])
    assert done.exit_code == 1
    assert "ZeroDivisionError: oops" in done.stderr
    assert "GREENMAST_DEBUG=1" in done.stderr
    assert "Traceback" not in done.output
    monkeypatch.setenv("GREENMAST_DEBUG", "1")
    assert isinstance(runner.invoke(app, ["demo"]).exception, ZeroDivisionError)


def test_a_missing_extra_is_named_and_exit_2() -> None:
    with pytest.raises(UserError, match=r"pip install 'greenmast\[sim\]'") as missing, run.needs("sim"):
        raise ModuleNotFoundError("No module named 'pvlib'", name="pvlib")
    assert missing.value.exit_code == 2
    with pytest.raises(ModuleNotFoundError), run.needs("sim"):
        raise ModuleNotFoundError("our own module is no extra", name="greenmast.simulate")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "connect", interrupted)
    done = runner.invoke(app, ["status"])
    assert done.exit_code == 130
    assert "Traceback" not in done.output


def test_help_imports_neither_rooms_nor_transports() -> None:
    """Cold start stays short because nothing heavy is imported before a command runs."""
    code = (
        "import sys\n"
        "from greenmast.cli.app import app\n"
        "try:\n    app(['status', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'rich', 'paho', 'serial', 'asyncio', 'sqlalchemy', 'nicegui', 'numpy', 'pymodbus'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.strip() == "[]"
