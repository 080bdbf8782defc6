"""Solar charger and rectifier: word order, the right function for each range, writes that reach the plant."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu
from greenmast.emulator.devices.device import RefusedError

# Addresses that answered in the capture of a Tracer BN (kasbert/epsolar-tracer)
CAPTURED_INPUT = (
    *range(0x3000, 0x3009), 0x300E, *range(0x3100, 0x3108), *range(0x310C, 0x3113), 0x311A, 0x311B, 0x311D,
    0x3200, 0x3201, *range(0x3300, 0x3316), *range(0x331B, 0x331F),
)  # fmt: skip
CAPTURED_HOLDING = (
    *range(0x9000, 0x900F), *range(0x9013, 0x9022), *range(0x903D, 0x9040), *range(0x9042, 0x904C),
)  # fmt: skip
SETPOINTS = [6_400, 6_000, 6_000, 5_840, 5_760, 5_520, 5_280, 5_040, 4_880, 4_800, 4_440, 4_240]


@pytest.fixture
def tracer(device: Any) -> Any:
    return device("epever-tracer-an")


@pytest.fixture
def drs(device: Any) -> Any:
    return device("meanwell-drs")


def request(function: int, *words: int) -> bytes:
    return bytes((function,)) + b"".join(word.to_bytes(2, "big") for word in words)


def write_block(address: int, values: Any) -> bytes:
    head = request(16, address, len(values)) + bytes((2 * len(values),))
    return head + b"".join(value.to_bytes(2, "big") for value in values)


def test_tracer_answers_every_captured_address_by_its_function_only(tracer: Any) -> None:
    for address in CAPTURED_INPUT:
        assert pdu.execute(tracer, request(4, address, 1))[0] == 4, hex(address)
        assert pdu.execute(tracer, request(3, address, 1)) == b"\x83\x02", hex(address)
    for address in CAPTURED_HOLDING:
        assert pdu.execute(tracer, request(3, address, 1))[0] == 3, hex(address)
        assert pdu.execute(tracer, request(4, address, 1)) == b"\x84\x02", hex(address)


@pytest.mark.parametrize("address", [0x3108, 0x310B, 0x3113, 0x3119, 0x311C, 0x9010])
def test_tracer_has_holes(tracer: Any, address: int) -> None:
    function = 4 if address < 0x9000 else 3
    assert pdu.execute(tracer, request(function, address, 1)) == bytes((function | 0x80, 2))


def test_tracer_refuses_a_block_across_a_hole(tracer: Any) -> None:
    assert pdu.execute(tracer, request(4, 0x3100, 8))[0] == 4
    assert pdu.execute(tracer, request(4, 0x3100, 18)) == b"\x84\x02"


def test_tracer_gives_32_bits_low_word_first(plant: Any, tracer: Any) -> None:
    volts, amperes, low, high = tracer.read_registers(4, 0x3100, 4)
    assert (volts, amperes) == (10_450, 2_137)
    assert low | high << 16 == round(104.5 * 21.37 * 100)
    volts, amperes, low, high = tracer.read_registers(4, 0x3104, 4)
    assert (volts, amperes) == (5_319, round(2_180 / 53.19 * 100))
    assert low | high << 16 == 218_000
    low, high = tracer.read_registers(4, 0x3312, 2)
    assert low | high << 16 == 98_765
    assert tracer.read_registers(4, 0x311D, 1) == [4_800]


def test_tracer_soc_is_raw_percent_and_temperature_hundredths(plant: Any, tracer: Any) -> None:
    plant.truths.update({"battery.soc_permille": 702.0, "battery.temperature_dc": -53.0})
    tracer.refresh(plant)
    assert tracer.read_registers(4, 0x311A, 2) == [0x46, (-530) & 0xFFFF]


def test_tracer_counts_the_energy_of_the_day_by_its_own_clock(plant: Any, tracer: Any) -> None:
    tracer.write_registers(16, 0x9013, (0x3B00, 0x1517, 0x1903))  # 23:59:00, 21 March 2025
    tracer.refresh(plant)
    plant.truths["solar.energy_wh"] += 5_000.0
    plant.time_s = 59.0
    tracer.refresh(plant)
    assert tracer.read_registers(4, 0x330C, 2) == [500, 0]
    assert tracer.read_registers(3, 0x9013, 3) == [0x3B3B, 0x1517, 0x1903]
    plant.time_s = 60.0
    tracer.refresh(plant)
    assert tracer.read_registers(4, 0x330C, 2) == [0, 0]
    assert tracer.read_registers(3, 0x9013, 3) == [0, 0x1600, 0x1903]


def test_tracer_keeps_the_extremes_of_the_day(plant: Any, tracer: Any) -> None:
    plant.truths["solar.voltage_mv"] = 12_000.0
    tracer.refresh(plant)
    assert tracer.read_registers(4, 0x3300, 4) == [10_450, 1_200, 5_319, 5_319]
    assert tracer.read_bits(2, 0x200C, 1) == [True]


def test_tracer_takes_battery_set_points_only_whole_and_in_order(tracer: Any) -> None:
    assert tracer.read_registers(3, 0x9003, 12) == SETPOINTS
    changed = [value + 8 for value in SETPOINTS]
    assert pdu.execute(tracer, write_block(0x9003, changed)) == request(16, 0x9003, 12)
    assert pdu.execute(tracer, write_block(0x9000, [0, 300, 0, *SETPOINTS])) == request(16, 0x9000, 15)
    assert pdu.execute(tracer, write_block(0x9007, [5_500])) == b"\x90\x04"
    assert pdu.execute(tracer, write_block(0x9003, sorted(SETPOINTS))) == b"\x90\x04"
    assert tracer.read_registers(3, 0x9003, 12) == SETPOINTS


def test_tracer_takes_its_clock_only_whole(tracer: Any) -> None:
    assert pdu.execute(tracer, write_block(0x9013, [0x3035, 0x1300, 0x0F06])) == request(16, 0x9013, 3)
    assert pdu.execute(tracer, write_block(0x9013, [0x3035])) == b"\x90\x03"
    assert pdu.execute(tracer, write_block(0x9013, [0x3C00, 0x1300, 0x0F06])) == b"\x90\x03"


def test_tracer_coils_only_by_function_5(plant: Any, tracer: Any) -> None:
    assert pdu.execute(tracer, request(5, 2, 0xFF00)) == request(5, 2, 0xFF00)
    assert tracer.read_bits(1, 2, 1) == [True]
    assert pdu.execute(tracer, request(5, 2, 0x1234)) == b"\x85\x03"
    assert pdu.execute(tracer, request(15, 2, 1) + b"\x01\x01") == b"\x8f\x02"
    assert pdu.execute(tracer, request(6, 0x9007, 5_500)) == b"\x86\x01"
    tracer.write_coils(5, 0x14, (True,))
    tracer.refresh(plant)
    assert tracer.read_registers(4, 0x3312, 2) == [0, 0]


def test_drs_measures_by_function_4(drs: Any) -> None:
    assert drs.read_registers(4, 0x0050, 1) == [2_299]
    assert drs.read_registers(4, 0x0060, 3) == [5_321, 3_333, 412]
    assert drs.read_registers(4, 0x00D3, 3) == [5_318, (-2_140) & 0xFFFF, 274]
    assert pdu.execute(drs, request(3, 0x0060, 1)) == b"\x83\x02"


def test_drs_identity_is_that_of_the_manuals_example(drs: Any) -> None:
    assert pdu.execute(drs, bytes.fromhex("0300800006"))[2:] == b"MEANWELL    "
    assert pdu.execute(drs, bytes.fromhex("0300860006"))[2:] == b"DRS-480-48  "
    assert drs.read_registers(3, 0x00C0, 3) == [0x5506, 0x0600, 0]


def test_drs_set_points_reach_the_plant_and_read_back(plant: Any, drs: Any) -> None:
    assert drs.read_registers(3, 0x0020, 1) == [5_400]
    assert drs.read_registers(3, 0x0030, 1) == [10_000]
    assert pdu.execute(drs, request(6, 0x0020, 5_250)) == request(6, 0x0020, 5_250)
    assert pdu.execute(drs, request(6, 0x0030, 2_500)) == request(6, 0x0030, 2_500)
    assert drs.read_registers(3, 0x0020, 1) == [5_250]
    drs.refresh(plant)
    assert (plant.rectifier.setpoint_mv, plant.rectifier.limit_ma) == (52_500.0, 25_000.0)
    drs.refresh(plant)
    assert drs.read_registers(3, 0x0030, 1) == [2_500]


def test_drs_holds_a_set_voltage_at_its_limits(plant: Any, drs: Any) -> None:
    for value, held in ((9_999, 5_800), (0, 4_200)):
        drs.write_registers(6, 0x0020, (value,))
        drs.refresh(plant)
        assert plant.rectifier.setpoint_mv == held * 10.0
        assert drs.read_registers(3, 0x0020, 1) == [held]


def test_drs_switched_off_delivers_nothing_and_remembers_its_limit(plant: Any, drs: Any) -> None:
    drs.write_registers(6, 0x0000, (0,))
    drs.refresh(plant)
    drs.refresh(plant)
    assert plant.rectifier.limit_ma == 0.0
    assert drs.read_registers(3, 0x0030, 1) == [10_000]
    assert drs.read_registers(3, 0x0040, 1) == [1 << 6]
    drs.write_registers(6, 0x0000, (1,))
    drs.refresh(plant)
    assert plant.rectifier.limit_ma == 100_000.0
    with pytest.raises(RefusedError):
        drs.write_registers(6, 0x0000, (2,))


def test_drs_tells_a_missing_mains_in_every_status_word(plant: Any, drs: Any) -> None:
    assert [drs.read_registers(3, at, 1)[0] for at in (0x40, 0xB8, 0xC3)] == [0, 1 << 2, 0b100110]
    plant.truths.update({"rectifier.ac_present": 0.0, "rectifier.input_mv": 0.0, "rectifier.output_ma": 0.0})
    drs.refresh(plant)
    for function in (3, 4):
        assert [drs.read_registers(function, at, 1)[0] for at in (0x40, 0xB8, 0xC3)] == [
            0b1100000,
            1 << 7,
            0b10100010,
        ]


def test_drs_says_when_it_limits_the_current(plant: Any, drs: Any) -> None:
    plant.rectifier.limit_ma = 33_330.0
    drs.refresh(plant)
    assert drs.read_registers(3, 0xB8, 1) == [1 << 1]


def test_drs_writes_nothing_but_operation_and_set_points(drs: Any) -> None:
    assert pdu.execute(drs, request(6, 0x0060, 0)) == b"\x86\x02"
    assert pdu.execute(drs, write_block(0x0020, [5_250])) == b"\x90\x01"
