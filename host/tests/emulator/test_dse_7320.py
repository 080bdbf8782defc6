"""The genset controller: sentinels, keys, start sequence and alarms."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu
from greenmast.emulator.devices.device import RefusedError

AUTO_KEY, STOP_KEY, MANUAL_KEY, START_KEY = 35701, 35700, 35702, 35705
TELEMETRY_START, TELEMETRY_STOP, RESET_ALARMS = 35732, 35733, 35734


def press(dse: Any, key: int) -> None:
    dse.write_registers(16, 0x1008, (key, key ^ 0xFFFF))


def u32(dse: Any, address: int) -> int:
    high, low = dse.read_registers(3, address, 2)
    return int(high << 16 | low)


def run(plant: Any, dse: Any, seconds: float, step_s: float = 0.5) -> None:
    end_s = plant.time_s + seconds
    while plant.time_s < end_s:
        plant.time_s += step_s
        dse.refresh(plant)


@pytest.fixture
def dse(device: Any) -> Any:
    return device("dse-7320")


def running(plant: Any) -> None:
    plant.truths.update(
        {
            "genset.running": 1.0, "genset.rpm": 1_502.0, "genset.oil_kpa": 398.0, "genset.power_w": 3_270.0,
            "genset.voltage_mv": 231_400.0, "genset.current_ma": 14_300.0, "genset.frequency_chz": 5_007.0,
        }
    )  # fmt: skip


def standing(plant: Any) -> None:
    plant.truths.update(
        {"genset.running": 0.0, "genset.rpm": 0.0, "genset.voltage_mv": 0.0, "genset.power_w": 0.0}
    )


def test_it_says_who_it_is(dse: Any) -> None:
    assert dse.read_registers(3, 0x0300, 2) == [1, 32841]
    assert dse.read_registers(3, 0x0304, 1) == [1]  # automatic


def test_instrumentation_has_the_scales_of_page_4(plant: Any, dse: Any) -> None:
    running(plant)
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0400, 8) == [398, 31, 0x7FFF, 71, 140, 138, 1_502, 501]
    assert u32(dse, 0x0408) == 2_314
    assert u32(dse, 0x0414) == 143
    assert u32(dse, 0x041C) == u32(dse, 0x0600) == 3_270
    assert dse.read_registers(3, 0x0423, 1) == [499]
    assert u32(dse, 0x0424) in (2_304, 2_305)
    assert dse.read_registers(3, 0x0616, 1) == [272]
    assert dse.read_registers(3, 0x0580, 1) == [3]


def test_counters_are_seconds_tenths_of_kwh_and_starts(dse: Any) -> None:
    assert u32(dse, 0x0706) == 3_600 * 1_234
    assert u32(dse, 0x0708) == 43_211
    assert u32(dse, 0x0710) == 321


@pytest.mark.parametrize("address", [0x040A, 0x040C, 0x040E, 0x0416, 0x041A, 0x0426, 0x042A, 0x0504])
def test_what_is_not_there_reads_as_a_sentinel(dse: Any, address: int) -> None:
    assert u32(dse, address) == 0xFFFFFFFF


def test_a_signed_value_that_is_not_there_has_the_signed_sentinel(dse: Any) -> None:
    assert u32(dse, 0x041E) == 0x7FFFFFFF
    assert dse.read_registers(3, 0x0402, 1) == [0x7FFF]


def test_over_range_is_a_sentinel_not_a_wrapped_value(plant: Any, dse: Any) -> None:
    plant.truths.update({"genset.rpm": 70_000.0, "genset.coolant_dc": 1e6})
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0406, 1) == [0xFFFE]
    assert dse.read_registers(3, 0x0401, 1) == [0x7FFE]


def test_pages_that_do_not_exist_and_write_only_registers_are_exception_2(dse: Any) -> None:
    for request_hex in ("030b000001", "0310080002", "0310070002"):
        assert pdu.execute(dse, bytes.fromhex(request_hex)) == bytes.fromhex("8302")
    assert pdu.execute(dse, bytes.fromhex("0404000001")) == bytes.fromhex("8401")
    assert pdu.execute(dse, bytes.fromhex("0610088b94")) == bytes.fromhex("8601")


def test_the_bitmap_says_which_keys_work(dse: Any) -> None:
    bitmap = dse.read_registers(3, 0x1000, 8)
    supported = {
        35700 + 16 * i + bit for i, word in enumerate(bitmap) for bit in range(16) if word >> 15 - bit & 1
    }
    assert {AUTO_KEY, TELEMETRY_START, TELEMETRY_STOP, RESET_ALARMS} <= supported
    assert 35708 not in supported  # transfer to generator: the contactors are not this controller's
    for key in range(35700, 35700 + 128):
        if key in supported:
            press(dse, key)
        else:
            with pytest.raises(RefusedError):
                press(dse, key)


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (0x1008, (35732, 35732)),
        (0x1008, (35732, 0)),
        (0x1008, (35732,)),
        (0x1009, (35732, 29803)),
        (0x1007, (0, 35732)),
        (0x1008, (35732, 29803, 0)),
        (0x0304, (2,)),
    ],
)
def test_a_key_without_its_complement_is_refused_and_does_nothing(
    plant: Any, dse: Any, address: int, values: Any
) -> None:
    with pytest.raises(RefusedError):
        dse.write_registers(16, address, values)
    dse.refresh(plant)
    assert not plant.genset.started


def test_telemetry_start_and_stop_reach_the_engine(plant: Any, dse: Any) -> None:
    assert pdu.execute(dse, bytes.fromhex("10100800020 48b94746b".replace(" ", ""))) == bytes.fromhex(
        "1010080002"
    )
    dse.refresh(plant)
    assert plant.genset.started
    assert dse.read_registers(3, 0x0580, 1) == [1]
    running(plant)
    run(plant, dse, 2)
    assert dse.read_registers(3, 0x0580, 1) == [3]
    press(dse, TELEMETRY_STOP)
    dse.refresh(plant)
    assert not plant.genset.started
    plant.truths.update({"genset.running": 0.0, "genset.rpm": 700.0})
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0580, 1) == [6]
    standing(plant)
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0580, 1) == [0]


def test_telemetry_start_needs_automatic_mode(plant: Any, dse: Any) -> None:
    press(dse, STOP_KEY)
    press(dse, TELEMETRY_START)
    dse.refresh(plant)
    assert not plant.genset.started
    assert dse.read_registers(3, 0x0304, 1) == [0]
    press(dse, AUTO_KEY)
    press(dse, TELEMETRY_START)
    dse.refresh(plant)
    assert plant.genset.started


def test_the_start_key_needs_manual_mode(plant: Any, dse: Any) -> None:
    press(dse, START_KEY)
    dse.refresh(plant)
    assert not plant.genset.started
    press(dse, MANUAL_KEY)
    press(dse, START_KEY)
    dse.refresh(plant)
    assert plant.genset.started


def test_three_failed_attempts_lock_the_engine_out_until_reset(plant: Any, dse: Any) -> None:
    press(dse, TELEMETRY_START)
    attempts, was = 0, False
    for _ in range(200):
        run(plant, dse, 0.5)
        attempts += plant.genset.started and not was
        was = plant.genset.started
    assert attempts == 3
    assert not plant.genset.started
    assert dse.read_registers(3, 0x0306, 1)[0] == 1 << 13
    assert dse.read_registers(3, 0x0802, 1)[0] >> 4 & 0xF == 3  # fail to start, page 8
    assert dse.read_registers(3, 0x9A04, 1)[0] >> 8 & 0xF == 3  # fail to start, page 154
    press(dse, RESET_ALARMS)
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0306, 1) == [0]
    press(dse, TELEMETRY_START)
    dse.refresh(plant)
    assert plant.genset.started


def test_an_engine_that_dies_is_a_shutdown(plant: Any, dse: Any) -> None:
    press(dse, TELEMETRY_START)
    run(plant, dse, 2)
    running(plant)
    run(plant, dse, 2)
    standing(plant)
    run(plant, dse, 2)
    assert dse.read_registers(3, 0x9A02, 1)[0] >> 12 == 3  # underspeed
    assert not plant.genset.started


def test_an_engine_started_by_its_relay_is_shown_running(plant: Any, dse: Any) -> None:
    running(plant)
    run(plant, dse, 1)
    assert dse.read_registers(3, 0x0580, 1) == [3]
    assert not plant.genset.started


def test_low_fuel_is_a_warning(plant: Any, dse: Any) -> None:
    assert dse.read_registers(3, 0x0306, 1) == [0]
    plant.truths["genset.fuel_permille"] = 40.0
    dse.refresh(plant)
    assert dse.read_registers(3, 0x0306, 1) == [1 << 11]
    assert dse.read_registers(3, 0x9A06, 1)[0] >> 4 & 0xF == 2


def test_alarm_pages_are_long_enough_for_their_readers(dse: Any) -> None:
    assert len(dse.read_registers(3, 0x9A01, 20)) == 20
    assert dse.read_registers(3, 0x9A01, 1) == [0x1111]
    assert dse.read_registers(3, 0x9A0A, 11) == [0xFFFF] * 11
    assert dse.read_registers(3, 0x0801, 25)[0] == 0x111F
