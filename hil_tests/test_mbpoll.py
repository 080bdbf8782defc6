"""An independent master, mbpoll, reads every emulated device: what it reads is what is true of the plant.

Needs /usr/bin/mbpoll (Debian package mbpoll; `make system` installs it, without it these tests fail); no
board and no firmware. What is read is in `greenmast.bench.mbpoll_readings`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from greenmast.bench import mbpoll
from greenmast.bench.mbpoll_readings import READINGS
from greenmast.emulator.devices import PROFILES
from greenmast.emulator.server import BusServer
from greenmast.emulator.wire import Wire

HOLDING = ("-t", "4")
COIL = ("-t", "0")


@pytest.fixture
async def rig() -> AsyncIterator[mbpoll.Rig]:
    async with mbpoll.Rig() as rig:
        yield rig


def at(rig: mbpoll.Rig, profile: str, address: int, *rest: str) -> tuple[str, ...]:
    """Arguments of mbpoll for a device; `rest` is the kind, then options; the values to write come last."""
    unit = str(rig.units[profile])
    return ("-m", "tcp", "-p", str(rig.port), "-a", unit, "-r", str(address), *rest, "127.0.0.1")


def test_mbpoll_reads_the_truth_of_every_point_of_every_device() -> None:
    assert set(PROFILES) == {reading.profile for reading in READINGS}
    result = mbpoll.sweep()
    assert not result["wrong"]
    assert result["devices"] == len(PROFILES)
    assert result["readings"] > 10 * len(PROFILES)


async def test_a_device_that_lies_is_found(rig: mbpoll.Rig) -> None:
    rig.devices["daly-bms"].holding[0x0028] ^= 1 << 4
    del rig.devices["meanwell-cmu2c"].input[0x0201]
    wrong = await rig.wrong()
    assert any(line.startswith("daly-bms 0x0028 battery.voltage_mv: ") for line in wrong)
    assert any("meanwell-cmu2c" in line and "Illegal data address" in line for line in wrong)
    assert {line.split()[0] for line in wrong} == {"daly-bms", "meanwell-cmu2c"}


async def test_over_rtu_mbpoll_reads_a_meter_through_a_paced_wire(rig: mbpoll.Rig) -> None:
    plant = rig.plant
    meters = BusServer({1: rig.devices["eastron-sdm230"]})
    with Wire(9600, bits=10) as wire:
        await meters.serve_serial(wire.slave_path, 9600, "N")
        line = ("-m", "rtu", "-b", "9600", "-P", "none")
        floats = ("-t", "3:float", "-B")
        code, values, said = await mbpoll.run(
            *line, "-a", "1", "-r", "0", "-c", "40", *floats, wire.master_path
        )
        assert code == 0, said
        assert values[0x0000] == pytest.approx(plant.truth("grid.voltage_mv") / 1e3, abs=0.01)
        assert values[0x000C] == pytest.approx(plant.truth("grid.power_w"), abs=0.1)
        assert values[0x0046] == pytest.approx(plant.truth("grid.frequency_chz") / 1e2, abs=0.001)
        _, values, said = await mbpoll.run(*line, "-a", "77", "-r", "0", *floats, wire.master_path)
        assert not values
        assert "timed out" in said
        await meters.stop()


@pytest.mark.parametrize(
    ("profile", "address", "written"),
    [("meanwell-drs", 0x0020, "5015"), ("meanwell-cmu2c", 0x0010, "502")],
)
async def test_mbpoll_sets_the_rectifier_and_the_plant_follows(
    rig: mbpoll.Rig, profile: str, address: int, written: str
) -> None:
    code, _, said = await mbpoll.run(*at(rig, profile, address, *HOLDING), written)
    assert code == 0, said
    rig.server.refresh(rig.plant)
    assert rig.plant.rectifier.setpoint_mv == pytest.approx(50_200.0, abs=50.0)


async def test_mbpoll_starts_the_engine_by_control_key(rig: Any) -> None:
    plant = rig.plant
    plant.coil("genset_start", False)
    plant.step(30.0)
    assert plant.truth("genset.rpm") == 0.0
    base = at(rig, "dse-7320", 0x1008, *HOLDING)
    code, _, _ = await mbpoll.run(*base, "35732", "35732")
    assert code != 0
    code, _, said = await mbpoll.run(*base, "35732", str(35732 ^ 0xFFFF))
    assert code == 0, said
    for _ in range(600):  # a minute: three attempts may be needed
        rig.server.refresh(plant)
        plant.step(0.1)
    assert plant.truth("genset.running") == 1.0


async def test_mbpoll_switches_relays_one_by_one_and_together(rig: mbpoll.Rig) -> None:
    relays = rig.devices["waveshare-relay-8ch"]
    code, _, said = await mbpoll.run(*at(rig, "waveshare-relay-8ch", 2, *COIL), "1")
    assert code == 0, said
    assert [channel for channel, on in relays.coils.items() if on] == [0, 2, 7]
    code, _, said = await mbpoll.run(*at(rig, "waveshare-relay-8ch", 0, *COIL), *"01010101")
    assert code == 0, said
    assert [channel for channel, on in relays.coils.items() if on] == [1, 3, 5, 7]
