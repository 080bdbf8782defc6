"""The battery management systems say what captures of real ones say."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import create, pdu
from greenmast.emulator.devices.device import RefusedError

# Daly, 16 cells, registers 0x20..0x4F of a captured answer (esphome-daly-bms, "blue series", 80 registers)
DALY_CAPTURE = bytes.fromhex(
    "0035 0035 0035 0035 0000 0000 0000 0000 020d 7517 0231 0cd3 0cd1 0035 0035 0002"
    "049a 0010 0004 003c 0000 0001 0001 0cd2 0002 0083 0000 0000 0000 0000 0000 0000"
    "7530 0000 0037 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000"
)


def test_daly_repeats_a_captured_block(plant: Any) -> None:
    plant.truths.update(
        {
            "battery.cell_min_mv": 3_281.0,
            "battery.cell_max_mv": 3_283.0,
            "battery.voltage_mv": 52_500.0,
            "battery.current_ma": -2_500.0,
            "battery.soc_permille": 561.0,
            "battery.temperature_dc": 130.0,
            "battery.remaining_mah": 117_800.0,
        }
    )
    daly = create("daly-bms", {"battery": {"cells": 16}})
    daly.refresh(plant)
    block = daly.read_registers(3, 0, 80)
    captured = [int.from_bytes(DALY_CAPTURE[i : i + 2], "big") for i in range(0, 96, 2)]
    assert sorted(set(block[:16])) == [3_281, 3_282, 3_283]
    assert block[16:32] == [0] * 16
    differing = {0x20 + at for at in range(48) if block[0x20 + at] != captured[at]}
    assert differing == {0x33, 0x42}  # its age in cycles and the temperature of its switches


@pytest.mark.parametrize(
    ("current_ma", "raw", "state"),
    [(-3_100.0, 29_969, 2), (0.0, 30_000, 0), (40.0, 30_000, 0), (15_300.0, 30_153, 1)],
)
def test_daly_counts_current_from_30000(
    plant: Any, device: Any, current_ma: float, raw: int, state: int
) -> None:
    plant.truths["battery.current_ma"] = current_ma
    daly = device("daly-bms")
    assert daly.read_registers(3, 0x29, 1) == [raw]
    assert daly.read_registers(3, 0x2F, 1) == [state]


def test_daly_current_saturates(plant: Any, device: Any) -> None:
    plant.truths["battery.current_ma"] = -4e6
    assert device("daly-bms").read_registers(3, 0x29, 1) == [0]


def test_daly_refuses_switches_and_places_beyond_the_block(device: Any) -> None:
    daly = device("daly-bms")
    assert pdu.execute(daly, bytes.fromhex("0600a60000")) == bytes.fromhex("8601")
    assert pdu.execute(daly, bytes.fromhex("0400000001")) == bytes.fromhex("8401")
    with pytest.raises(RefusedError):
        daly.read_registers(3, 0x4F, 2)


def test_daly_will_not_stand_for_a_string_it_cannot_manage() -> None:
    with pytest.raises(ValueError, match=r"1\.\.32"):
        create("daly-bms", {"battery": {"cells": 33}})


def test_seplos_repeats_the_worked_example(plant: Any) -> None:
    plant.truths.update(
        {
            "battery.cell_min_mv": 3_298.0,
            "battery.cell_max_mv": 3_302.0,
            "battery.voltage_mv": 52_810.0,
            "battery.current_ma": 0.0,
            "battery.soc_permille": 1_000.0,
            "battery.soh_permille": 1_000.0,
            "battery.temperature_dc": 215.0,
            "battery.remaining_mah": 200_000.0,
            "site.temperature_dc": 230.0,
        }
    )
    seplos = create("seplos-v3", {"battery": {"cells": 16, "capacity_ah": 200}})
    seplos.refresh(plant)
    example = "14a100004e204e20000003e803e800000ce40b820ce60ce20b820b82000000b400b403e8"
    assert pdu.execute(seplos, bytes.fromhex("0410000012")).hex() == "0424" + example
    pib = seplos.read_registers(4, 0x1100, 26)
    assert min(pib[:16]) == 0x0CE2
    assert pib[16:] == [0x0B82] * 4 + [0x0AAB] * 4 + [0x0B91, 0x0B82]
    assert (
        pdu.execute(seplos, bytes.fromhex("0112000090")).hex()
        == "0112" + "00" * 8 + "10" + "00" * 6 + "03" + "00" * 2
    )


def test_seplos_system_summary_is_low_word_first(plant: Any) -> None:
    plant.truths.update(
        {"battery.voltage_mv": 52_840.0, "battery.current_ma": -10_000.0, "battery.soc_permille": 142.0}
    )
    plant.truths["battery.remaining_mah"] = 14_200.0
    seplos = create("seplos-v3", {"battery": {"cells": 16, "capacity_ah": 100}})
    seplos.refresh(plant)
    summary = b"".join(word.to_bytes(2, "big") for word in seplos.read_registers(4, 0x2000, 26)).hex()
    assert summary[:40] == "14a40000ff9cffff058c000027100000" + "00000000"
    assert summary[-8:-4] == "008e"
    assert pdu.execute(seplos, bytes.fromhex("0421000001")) == bytes.fromhex("8402")  # captured


def test_seplos_state_follows_the_current(plant: Any, device: Any) -> None:
    for current_ma, bit in ((-21_400.0, 0), (30_000.0, 1), (0.0, 4)):
        plant.truths["battery.current_ma"] = current_ma
        assert device("seplos-v3").read_bits(1, 0x1240, 8) == [at == bit for at in range(8)]
