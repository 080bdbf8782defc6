"""A second, independent slave: libmodbus holds registers that were written by hand from the documents.

mbpoll and libmodbus's own master read from it what the images say that they mean.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greenmast.bench import libmodbus, mbpoll, register_image
from greenmast.emulator.devices import PROFILES
from greenmast.emulator.wire import Wire
from greenmast.errors import UserError

IMAGES = sorted((Path(__file__).parent / "images").glob("*.toml"))


@contextmanager
def served(path: Path, where: str = "tcp:127.0.0.1:0", baud: int = 9600) -> Iterator[str]:
    """The slave in a process of its own, and where it is."""
    unit = str(register_image.load(path).unit)
    command = [sys.executable, "-m", "greenmast.bench.libmodbus", "serve", where, str(baud), unit, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, _, place = process.stdout.readline().strip().partition(" ")
            assert word == "serving"
            yield place
        finally:
            process.communicate(timeout=10)
    assert process.returncode == 0


def address_of(place: str) -> tuple[str, int]:
    _, host, port = place.split(":")
    return host, int(port)


def test_images_are_of_emulated_products_and_of_several_families() -> None:
    profiles = [register_image.load(path).profile for path in IMAGES]
    assert len(profiles) >= 4
    assert set(profiles) <= set(PROFILES)
    assert [path.stem for path in IMAGES] == profiles


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.stem)
async def test_mbpoll_reads_from_libmodbus_what_an_image_means(path: Path) -> None:
    image = register_image.load(path)
    assert image.source
    assert image.meanings
    with served(path) as place:
        host, port = address_of(place)
        for meaning in image.meanings:
            order = () if meaning.low_first else ("-B",)
            code, values, said = await mbpoll.run(
                *("-m", "tcp", "-p", str(port), "-a", str(image.unit), "-r", str(meaning.address)),
                *("-t", meaning.kind, *order, host),
            )
            assert code == 0, said
            assert values == {meaning.address: pytest.approx(meaning.shows, rel=1e-6)}, meaning


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.stem)
def test_an_image_answers_all_that_it_holds_and_nothing_else(path: Path) -> None:
    image = register_image.load(path)
    with served(path) as place, libmodbus.Master.tcp(*address_of(place), image.unit) as master:
        reads = {
            "coils": master.read_coils,
            "discrete": master.read_discrete,
            "holding": master.read_holding,
            "input": master.read_input,
        }
        for table, read in reads.items():
            held = image.tables[table]
            for first in held:
                if first - 1 not in held:
                    count = next(n for n in range(1, 101) if first + n not in held or n == 100)
                    assert read(first, count) == [held[at] for at in range(first, first + count)]
                    with pytest.raises(libmodbus.LibmodbusError) as refused:
                        read(first - 1 if first else 0xFFF0, 2)
                    assert refused.value.exception == 2


async def test_over_a_paced_wire_libmodbus_serves_mbpoll_and_its_own_master() -> None:
    path = next(path for path in IMAGES if path.stem == "dse-7320")
    with Wire(19_200, bits=10) as wire, served(path, wire.slave_path, 19_200):
        line = ("-m", "rtu", "-b", "19200", "-P", "none", "-a", "10", "-r", str(0x0403), "-t", "4")
        code, values, said = await mbpoll.run(*line, "-c", "4", wire.master_path)
        assert code == 0, said
        assert values == {0x0403: 67, 0x0404: 138, 0x0405: 137, 0x0406: 1503}
        with libmodbus.Master.rtu(wire.master_path, 19_200, 10) as master:
            assert master.read_holding(0x0706, 2) == [0x0043, 0xCC4A]
            with pytest.raises(libmodbus.LibmodbusError, match="Illegal data address") as refused:
                master.read_holding(0x5000, 1)
            assert refused.value.exception == 2
        with (
            libmodbus.Master.rtu(wire.master_path, 19_200, 11, timeout_s=0.2) as stranger,
            pytest.raises(libmodbus.LibmodbusError) as silence,
        ):
            stranger.read_holding(0x0403, 1)
        assert silence.value.exception is None


async def test_libmodbus_writes_what_the_slave_then_holds() -> None:
    path = next(path for path in IMAGES if path.stem == "epever-tracer-an")
    with served(path) as place, libmodbus.Master.tcp(*address_of(place), 1) as master:
        master.write_registers(0x9000, [1, 200])
        master.write_register(0x9002, 3)
        master.write_coil(2, True)
        assert master.read_holding(0x9000, 3) == [1, 200, 3]
        assert master.read_coils(0, 4) == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("profile = 1", "block"),
        ('[[block]]\ntable = "input"\nfirst = 0\nvalues = [65536]', "0..65535"),
        ('[[block]]\ntable = "coil"\nfirst = 0\nvalues = [0]', "coil"),
        ("= 1", "line 1"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "image.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=reason):
        register_image.load(path)
