"""Datakom D-500: low word first, no gaps, buttons that start and stop the engine."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu

STOP, MANUAL, AUTO, TEST, RUN = 1, 2, 4, 8, 16
MANUAL_RUN = MANUAL | RUN  # what Victron's driver presses
RUNNING = {
    "genset.running": 1.0, "genset.rpm": 1_502.0, "genset.oil_kpa": 398.0, "genset.power_w": 3_270.0,
    "genset.voltage_mv": 231_400.0, "genset.current_ma": 14_300.0, "genset.frequency_chz": 5_007.0,
    "genset.coolant_dc": 823.0,
}  # fmt: skip


@pytest.fixture
def datakom(device: Any) -> Any:
    return device("datakom-d500")


def register(datakom: Any, address: int) -> int:
    (word,) = datakom.read_registers(3, address, 1)
    return int(word)


def u32(datakom: Any, address: int) -> int:
    low, high = datakom.read_registers(3, address, 2)
    return int(high << 16 | low)


def press(datakom: Any, buttons: int) -> None:
    datakom.write_registers(6, 8193, (buttons,))


def run(plant: Any, datakom: Any, seconds: float) -> None:
    end_s = plant.time_s + seconds
    while plant.time_s < end_s:
        plant.time_s += 0.5
        datakom.refresh(plant)


def test_it_says_who_it_is(datakom: Any) -> None:
    assert register(datakom, 10609) == 0xD500
    assert register(datakom, 10611) == 0x0058
    assert register(datakom, 321) == 7  # one phase, two wires
    assert len(datakom.read_registers(3, 11687, 6)) == 6


def test_32_bits_are_low_word_first(plant: Any, datakom: Any) -> None:
    plant.truths["genset.energy_wh"] = 0x0002_0003 * 100.0
    datakom.refresh(plant)
    assert datakom.read_registers(3, 10628, 2) == [0x0003, 0x0002]


def test_values_have_the_scales_of_the_list(plant: Any, datakom: Any) -> None:
    plant.truths.update(RUNNING)
    datakom.refresh(plant)
    for address, expected in (
        (10240, 2_304), (10242, 0), (10246, 2_314), (10252, 0), (10258, 0), (10264, 82), (10270, 143),
        (10272, 0), (10276, 0), (10286, 33), (10288, 0), (10292, 19), (10294, 33), (10324, 19),
        (10326, 33), (10616, 321), (10622, 123_400), (10628, 43_211),
    ):  # fmt: skip
        assert u32(datakom, address) == expected, address
    for address, expected in (
        (10335, 10), (10338, 4_987), (10339, 5_007), (10341, 1_380), (10361, 40), (10362, 823),
        (10363, 712), (10364, 0x7FFF), (10376, 1_502),
    ):  # fmt: skip
        assert register(datakom, address) == expected, address


def test_a_negative_power_and_temperature_are_signed(plant: Any, datakom: Any) -> None:
    plant.truths.update({"grid.power_w": -500.0, "genset.coolant_dc": -87.0})
    datakom.refresh(plant)
    assert datakom.read_registers(3, 10292, 2) == [0xFFFB, 0xFFFF]
    assert register(datakom, 10362) == 0x10000 - 87


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("0328000028", None),  # 10240..10279 follow one another
        ("0328000029", 2),  # 10280 is not in the list
        ("0328280002", 2),
        ("0300010001", 2),
        ("0328b10005", 2),  # 10417
        ("0428000002", 1),
        ("0320010001", 2),  # the buttons cannot be read
        ("06296c0001", 2),
        ("0620010040", 3),  # bit 6 is no button
        ("10200100020400010001", 2),
    ],
)
def test_gaps_and_foreign_writes_are_refused(datakom: Any, request_hex: str, exception: int | None) -> None:
    reply = pdu.execute(datakom, bytes.fromhex(request_hex))
    if exception is None:
        assert reply[0] == 3
    else:
        assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_a_start_and_a_stop_as_a_driver_presses_them(plant: Any, datakom: Any) -> None:
    assert (register(datakom, 10604), register(datakom, 10605)) == (0, AUTO)
    press(datakom, MANUAL_RUN)
    datakom.refresh(plant)
    assert plant.genset.started
    assert (register(datakom, 10604), register(datakom, 10605)) == (5, 2)
    plant.truths.update({**RUNNING, "genset.power_w": 0.0})
    run(plant, datakom, 1)
    assert register(datakom, 10604) == 8  # running off load
    plant.truths["genset.power_w"] = 3_270.0
    run(plant, datakom, 1)
    assert register(datakom, 10604) == 13  # on load
    press(datakom, AUTO)
    datakom.refresh(plant)
    assert not plant.genset.started
    plant.truths.update({"genset.running": 0.0, "genset.rpm": 700.0, "genset.power_w": 0.0})
    datakom.refresh(plant)
    assert register(datakom, 10604) == 25  # engine stopping
    plant.truths["genset.rpm"] = 0.0
    datakom.refresh(plant)
    assert (register(datakom, 10604), register(datakom, 10605)) == (0, AUTO)


def test_both_write_functions_press_a_button(plant: Any, datakom: Any) -> None:
    assert pdu.execute(datakom, bytes.fromhex("0620010012")).hex() == "0620010012"
    datakom.refresh(plant)
    assert plant.genset.started
    assert pdu.execute(datakom, bytes.fromhex("10200100010 20004".replace(" ", ""))).hex() == "1020010001"
    datakom.refresh(plant)
    assert not plant.genset.started


def test_manual_mode_waits_for_run_and_takes_over_a_running_engine(plant: Any, datakom: Any) -> None:
    press(datakom, MANUAL)
    datakom.refresh(plant)
    assert not plant.genset.started
    press(datakom, TEST)
    datakom.refresh(plant)
    assert plant.genset.started
    assert register(datakom, 10605) == 8
    press(datakom, MANUAL)
    datakom.refresh(plant)
    assert plant.genset.started
    press(datakom, STOP)
    datakom.refresh(plant)
    assert not plant.genset.started
    assert register(datakom, 10605) == 1


def test_the_breaker_button_is_taken_and_does_nothing(plant: Any, datakom: Any) -> None:
    press(datakom, 1 << 5)
    datakom.refresh(plant)
    assert not plant.genset.started
    assert register(datakom, 10605) == AUTO


def test_attempts_end_in_a_lock_out_that_stop_clears(plant: Any, datakom: Any) -> None:
    press(datakom, MANUAL_RUN)
    attempts, was, states = 0, False, set()
    for _ in range(200):
        run(plant, datakom, 0.5)
        attempts += plant.genset.started and not was
        was = plant.genset.started
        states.add(register(datakom, 10604))
    assert attempts == 3
    assert states == {4, 5, 0}  # rest, cranking, at rest
    assert not plant.genset.started
    press(datakom, STOP)
    press(datakom, MANUAL_RUN)
    datakom.refresh(plant)
    assert plant.genset.started
