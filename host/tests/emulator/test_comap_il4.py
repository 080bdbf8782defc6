"""ComAp InteliLite 4: whole values only, remote start in AUTO, commands as buttons in MAN."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu
from greenmast.emulator.devices.comap_il4 import AUTO, MANUAL, OFF, TEST

START, STOP, HORN_RESET, FAULT_RESET = 0x01FE0000, 0x02FD0000, 0x04FB0000, 0x08F70000
GCB_ON = 0x11EF0000
RUNNING = {
    "genset.running": 1.0, "genset.rpm": 1_502.0, "genset.oil_kpa": 398.0, "genset.power_w": 3_270.0,
    "genset.voltage_mv": 231_400.0, "genset.current_ma": 14_300.0, "genset.frequency_chz": 5_007.0,
}  # fmt: skip


@pytest.fixture
def comap(device: Any) -> Any:
    return device("comap-il4")


def register(comap: Any, address: int) -> int:
    (word,) = comap.read_registers(3, address, 1)
    return int(word)


def u32(comap: Any, address: int) -> int:
    high, low = comap.read_registers(3, address, 2)
    return int(high << 16 | low)


def text(comap: Any, address: int, count: int) -> str:
    words = comap.read_registers(3, address, count)
    return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode()


def command(comap: Any, argument: int, code: int = 1) -> int:
    comap.write_registers(16, 4207, (argument >> 16, argument & 0xFFFF))
    comap.write_registers(6, 4209, (code,))
    return u32(comap, 4207)


def run(plant: Any, comap: Any, seconds: float) -> None:
    end_s = plant.time_s + seconds
    while plant.time_s < end_s:
        plant.time_s += 0.5
        comap.refresh(plant)


def test_it_says_who_it_is(comap: Any) -> None:
    assert text(comap, 1307, 16).startswith("InteliLite4-")
    assert text(comap, 1323, 8) == "1.9.0.5"
    assert text(comap, 3000, 8) == "InteliLite4"
    assert register(comap, 1228) == 12


def test_values_have_the_scales_of_the_map(plant: Any, comap: Any) -> None:
    plant.truths.update(RUNNING)
    comap.refresh(plant)
    for address, expected in (
        (1004, 1_502), (1006, 31), (1008, 40), (1010, 27), (1020, 3), (1021, 3), (1022, 0), (1023, 0),
        (1036, 501), (1037, 231), (1038, 0), (1043, 14), (1044, 0), (1053, 138), (1055, 71), (1301, 0),
        (1382, AUTO), (4214, 0),
    ):  # fmt: skip
        assert register(comap, address) == expected, address
    assert u32(comap, 1013) == 12_340  # 0.1 h
    assert u32(comap, 1263) == 4_321


def test_a_coolant_below_zero_is_signed(plant: Any, comap: Any) -> None:
    plant.truths["genset.coolant_dc"] = -87.0
    comap.refresh(plant)
    assert register(comap, 1006) == 0xFFF7


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("03051b0001", 2),  # 1307 alone: inside the identity
        ("03051b0010", None),
        ("03051b0018", None),  # identity and firmware, side by side
        ("03051b0019", 2),  # one more
        ("0303f50001", 2),  # 1013, half of the hours
        ("0303f60001", 2),  # 1014, the other half
        ("0303f50002", None),
        ("0303ec0002", 2),  # 1004..1005: a gap
        ("0303fc0004", None),
        ("04041d0001", None),  # function 4 as well
        ("03125c0001", 1),  # a binary read as a register
        ("0310710001", 2),  # the command code is write only
        ("0612 5c0001".replace(" ", ""), 1),
        ("0603ec0000", 2),
        ("01125b0001", 2),
        ("05125bff00", 2),
        ("02125c0001", 1),
    ],
)
def test_a_request_covers_whole_values_or_is_refused(
    comap: Any, request_hex: str, exception: int | None
) -> None:
    reply = pdu.execute(comap, bytes.fromhex(request_hex))
    if exception is None:
        assert reply[0] == int(request_hex[:2], 16)
    else:
        assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_remote_start_by_coil_in_auto(plant: Any, comap: Any) -> None:
    assert register(comap, 1298) == 1  # ready
    assert pdu.execute(comap, bytes.fromhex("05125cff00")).hex() == "05125cff00"
    comap.refresh(plant)
    assert plant.genset.started
    assert comap.read_bits(1, 4700, 1) == [True]
    assert register(comap, 1298) == 4  # cranking
    plant.truths.update({**RUNNING, "genset.rpm": 700.0, "genset.power_w": 0.0})
    run(plant, comap, 1)
    assert register(comap, 1298) == 6  # starting
    plant.truths["genset.rpm"] = 1_500.0
    run(plant, comap, 1)
    assert register(comap, 1298) == 7  # running
    plant.truths["genset.power_w"] = 3_000.0
    run(plant, comap, 1)
    assert register(comap, 1298) == 8  # loaded
    comap.write_coils(5, 4700, (False,))
    comap.refresh(plant)
    assert not plant.genset.started
    plant.truths.update({"genset.running": 0.0, "genset.rpm": 600.0})
    comap.refresh(plant)
    assert register(comap, 1298) == 11  # stop
    plant.truths["genset.rpm"] = 0.0
    comap.refresh(plant)
    assert register(comap, 1298) == 1


@pytest.mark.parametrize("mode", [OFF, MANUAL])
def test_remote_start_does_nothing_in_another_mode(plant: Any, comap: Any, mode: int) -> None:
    comap.mode = mode
    comap.write_coils(5, 4700, (True,))
    comap.refresh(plant)
    assert not plant.genset.started
    assert comap.read_bits(1, 4700, 1) == [False]
    assert register(comap, 1382) == mode
    assert register(comap, 1298) == (2 if mode == OFF else 1)


def test_leaving_auto_ends_a_remote_start(plant: Any, comap: Any) -> None:
    comap.write_coils(5, 4700, (True,))
    comap.refresh(plant)
    comap.mode = OFF
    comap.refresh(plant)
    assert not plant.genset.started
    comap.mode = AUTO
    comap.refresh(plant)
    assert not plant.genset.started


def test_the_test_mode_runs_the_engine(plant: Any, comap: Any) -> None:
    comap.mode = TEST
    comap.refresh(plant)
    assert plant.genset.started


def test_start_and_stop_commands_are_the_buttons_of_manual_mode(plant: Any, comap: Any) -> None:
    assert command(comap, START) == 2  # refused in AUTO
    comap.mode = MANUAL
    assert command(comap, START) == 0x1FF
    comap.refresh(plant)
    assert plant.genset.started
    assert command(comap, STOP) == 0x2FE
    comap.refresh(plant)
    assert not plant.genset.started


def test_argument_and_command_may_come_in_one_write(plant: Any, comap: Any) -> None:
    comap.mode = MANUAL
    assert pdu.execute(comap, bytes.fromhex("10106f00030601fe00000001")).hex() == "10106f0003"
    comap.refresh(plant)
    assert plant.genset.started
    assert u32(comap, 4207) == 0x1FF


def test_return_values_of_other_commands(comap: Any) -> None:
    assert command(comap, HORN_RESET) == 0x4FC
    assert command(comap, FAULT_RESET) == 0x8F8
    assert command(comap, 0x01FE0001) == 1  # invalid argument
    assert command(comap, START, code=2) == 1  # an argument of another command
    assert command(comap, GCB_ON, code=2) == 2  # the breakers are not this controller's


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [("0610710009", 4), ("10106f000306 01fe00000009", 4), ("10106f000102 01fe", 2), ("0610700001", 2)],
)
def test_what_is_no_command_is_refused(comap: Any, request_hex: str, exception: int) -> None:
    reply = pdu.execute(comap, bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_an_engine_that_does_not_fire_is_a_shutdown_until_the_fault_is_reset(plant: Any, comap: Any) -> None:
    comap.write_coils(5, 4700, (True,))
    states = set()
    for _ in range(200):
        run(plant, comap, 0.5)
        states.add(register(comap, 1298))
    assert states == {4, 5, 2}  # cranking, pause, not ready
    assert not plant.genset.started
    assert register(comap, 4214) == 1
    assert command(comap, FAULT_RESET) == 0x8F8
    comap.refresh(plant)
    assert register(comap, 4214) == 0
    comap.refresh(plant)
    assert plant.genset.started  # still asked for


def test_an_engine_that_dies_shows_a_shutdown(plant: Any, comap: Any) -> None:
    comap.write_coils(5, 4700, (True,))
    run(plant, comap, 1)
    plant.truths.update(RUNNING)
    run(plant, comap, 1)
    plant.truths.update({"genset.running": 0.0, "genset.rpm": 400.0})
    run(plant, comap, 1)
    assert register(comap, 1298) == 12


def test_low_fuel_is_an_alarm(plant: Any, comap: Any) -> None:
    plant.truths["genset.fuel_permille"] = 40.0
    comap.refresh(plant)
    assert register(comap, 4214) == 1
