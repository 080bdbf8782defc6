"""SunSpec devices as a master meets them: by walking the chain, and by scale factor and "not implemented"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from greenmast.emulator.devices import Device, pdu
from greenmast.emulator.devices.device import RefusedError
from greenmast.emulator.devices.sunspec_battery import SunSpecBattery
from greenmast.emulator.devices.sunspec_inverter import SunSpecInverter
from greenmast.emulator.devices.sunspec_meter import SunSpecMeter

ABSENT = {"u16": 0xFFFF, "s16": 0x8000}


def read(device: Device, address: int, count: int = 1) -> list[int]:
    return device.read_registers(3, address, count)


def walk(device: Device, base: int) -> dict[int, tuple[int, int]]:
    """Model number -> (address of the number, length), from the marker to the end model."""
    assert read(device, base, 2) == [0x5375, 0x6E53]
    models = {}
    at = base + 2
    while True:
        number, length = read(device, at, 2)
        if number == 0xFFFF:
            assert length == 0
            return models
        models[number] = at, length
        at += 2 + length


def signed(word: int) -> int:
    return word - 0x10000 if word >= 0x8000 else word


def scaled(device: Device, model: int, offset: int, factor: int, *, sign: bool = True) -> float:
    """A point of one register, by the offsets of its value and its scale factor."""
    raw = read(device, model + offset)[0]
    return (signed(raw) if sign else raw) * 10.0 ** signed(read(device, model + factor)[0])


def wide(device: Device, address: int) -> int:
    high, low = read(device, address, 2)
    return high << 16 | low


@pytest.mark.parametrize("base", [40000, 50000, 0])
@pytest.mark.parametrize("length", [65, 66])
@pytest.mark.parametrize(
    ("make", "models"),
    [
        (SunSpecInverter, {103: 50, 160: 48}),
        (SunSpecMeter, {203: 105}),
        (lambda *place: SunSpecBattery(15, 300.0, *place), {802: 62, 713: 7}),
    ],
)
def test_the_chain_is_found_at_every_base_and_behind_either_common_model(
    plant: Any, base: int, length: int, make: Callable[..., Device], models: dict[int, int]
) -> None:
    device = make(base, length)
    device.refresh(plant)
    found = walk(device, base)
    assert {number: size for number, (_, size) in found.items()} == {1: length, **models}
    assert next(iter(found)) == 1
    last = max(at + 2 + size for at, size in found.values())
    with pytest.raises(RefusedError):
        read(device, last + 2)
    with pytest.raises(RefusedError):
        read(device, base - 1 if base else 0xFFFE)


def test_the_common_model_names_the_device(device: Any) -> None:
    inverter = device("sunspec-inverter")
    maker = b"".join(word.to_bytes(2, "big") for word in read(inverter, 40004, 16))
    assert maker.rstrip(b"\0") == b"Greenmast"
    assert b"\0" in maker
    with pytest.raises(ValueError, match="65"):
        SunSpecInverter(common_length=64)


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_inverter_shows_the_array_and_what_it_gives_off(plant: Any, phases: int) -> None:
    inverter = SunSpecInverter(phases=phases)
    inverter.refresh(plant)
    at, _ = walk(inverter, 40000)[100 + phases]
    assert scaled(inverter, at, 14, 15) == 2_180.0
    assert wide(inverter, at + 24) * 10.0 ** signed(read(inverter, at + 26)[0]) == 987_650.0
    assert scaled(inverter, at, 27, 28, sign=False) == pytest.approx(21.37)
    assert scaled(inverter, at, 29, 30, sign=False) == pytest.approx(104.5)
    assert scaled(inverter, at, 31, 32) == pytest.approx(104.5 * 21.37, abs=0.5)
    assert scaled(inverter, at, 33, 37) == pytest.approx(33.5)
    assert read(inverter, at + 38) == [4]
    assert scaled(inverter, at, 16, 17, sign=False) == 50.0
    phase_a = read(inverter, at + 3, 3)
    assert [word != ABSENT["u16"] for word in phase_a] == [phase < phases for phase in range(3)]
    assert scaled(inverter, at, 2, 6, sign=False) == pytest.approx(2_180.0 / 230.0, abs=0.01)
    assert read(inverter, at + 34, 3) == [ABSENT["s16"]] * 3
    assert wide(inverter, at + 44) == 0xFFFFFFFF  # vendor events: not implemented
    assert wide(inverter, at + 40) == 0  # no event


def test_strings_share_the_array(plant: Any) -> None:
    inverter = SunSpecInverter(strings=3)
    inverter.refresh(plant)
    at, length = walk(inverter, 40000)[160]
    assert length == 8 + 20 * 3
    assert read(inverter, at + 8) == [3]
    watts = 0.0
    for module in range(3):
        place = at + 10 + 20 * module
        assert read(inverter, place) == [module + 1]
        assert read(inverter, place + 10)[0] == 1_045
        assert read(inverter, place + 17) == [4]
        watts += read(inverter, place + 11)[0]
    assert watts == pytest.approx(104.5 * 21.37, abs=2.0)


@pytest.mark.parametrize(
    ("volts", "watts", "state"), [(0.0, 0.0, 2), (131_000.0, 0.0, 8), (104_500.0, 1.0, 4)]
)
def test_inverter_sleeps_waits_or_tracks(plant: Any, volts: float, watts: float, state: int) -> None:
    plant.truths.update({"solar.voltage_mv": volts, "solar.power_w": watts})
    inverter = SunSpecInverter()
    inverter.refresh(plant)
    assert read(inverter, walk(inverter, 40000)[103][0] + 38) == [state]


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_meter_counts_import_and_parts_it_among_its_phases(plant: Any, phases: int) -> None:
    meter = SunSpecMeter(phases=phases)
    meter.refresh(plant)
    at, length = walk(meter, 40000)[200 + phases]
    assert length == 105
    assert scaled(meter, at, 2, 6) == pytest.approx(8.21)
    assert scaled(meter, at, 3, 6) == pytest.approx(8.21 / phases, abs=0.01)
    assert scaled(meter, at, 7, 15) == pytest.approx(230.45, abs=0.06)
    assert scaled(meter, at, 16, 17) == pytest.approx(49.87)
    assert scaled(meter, at, 18, 22) == 1_880.0
    assert scaled(meter, at, 33, 37) == pytest.approx(100 * 1_880 / (230.45 * 8.21), abs=0.06)
    va, var = scaled(meter, at, 23, 27), scaled(meter, at, 28, 32)
    assert va**2 == pytest.approx(1_880.0**2 + var**2, rel=2e-3)
    assert (wide(meter, at + 38), wide(meter, at + 46)) == (0, 1_234_560)
    assert wide(meter, at + 48) == pytest.approx(1_234_560 / phases, abs=1)
    present = [word != ABSENT["s16"] for word in read(meter, at + 8, 3)]
    assert present == [phase < phases for phase in range(3)]
    assert read(meter, at + 71) == [0x8000]  # apparent energy: no scale factor, no points
    assert wide(meter, at + 55) == 0
    assert wide(meter, at + 105) == 0


@pytest.mark.parametrize(("volts", "events"), [(0.0, 1 << 2), (170_000.0, 1 << 3), (230_000.0, 0)])
def test_meter_says_what_ails_the_grid(plant: Any, volts: float, events: int) -> None:
    plant.truths["grid.voltage_mv"] = volts
    meter = SunSpecMeter()
    meter.refresh(plant)
    assert wide(meter, walk(meter, 40000)[203][0] + 105) == events


def test_battery_current_is_positive_when_it_discharges(plant: Any, device: Any) -> None:
    battery = device("sunspec-battery")
    models = walk(battery, 40000)
    at = models[802][0]
    assert scaled(battery, at, 44, 61) == pytest.approx(21.4)
    assert scaled(battery, at, 47, 63) == pytest.approx(21.4 * 53.18, abs=0.6)
    assert read(battery, at + 16) == [3]
    assert scaled(battery, at, 34, 59, sign=False) == pytest.approx(53.18)
    assert scaled(battery, at, 11, 56, sign=False) == pytest.approx(64.2)
    assert scaled(battery, at, 13, 58, sign=False) == pytest.approx(98.1)
    assert scaled(battery, at, 37, 60, sign=False) == pytest.approx(3.549)
    assert scaled(battery, at, 40, 60, sign=False) == pytest.approx(3.541)
    assert scaled(battery, at, 2, 52, sign=False) == 300.0
    assert scaled(battery, at, 3, 53, sign=False) == 300 * 15 * 3.2
    assert scaled(battery, at, 45, 62, sign=False) == 150.0
    store = models[713][0]
    assert read(battery, store + 4, 2) == [642, 981]
    plant.truths["battery.current_ma"] = 12_300.0
    battery.refresh(plant)
    assert scaled(battery, at, 44, 61) == pytest.approx(-12.3)
    assert read(battery, at + 16) == [4]


@pytest.mark.parametrize(("soc", "state"), [(642.0, 6), (1_000.0, 5)])
def test_a_resting_battery_is_full_or_holding(plant: Any, device: Any, soc: float, state: int) -> None:
    plant.truths.update({"battery.current_ma": 0.0, "battery.soc_permille": soc})
    assert read(device("sunspec-battery"), 40070 + 16) == [state]


def test_battery_heartbeat_counts_seconds_and_cycles_count_full_discharges(plant: Any, device: Any) -> None:
    battery = device("sunspec-battery")
    assert read(battery, 40070 + 18) == [0]
    plant.time_s = 300 / 21.4 * 3_600.0 * 2.01
    battery.refresh(plant)
    assert read(battery, 40070 + 18) == [int(plant.time_s) % 0x8000]
    assert wide(battery, 40070 + 14) == 2


@pytest.mark.parametrize(
    ("request_hex", "reply_hex"),
    [
        ("069c440002", "8602"),  # the manufacturer is not writable
        ("069c860001", "8602"),  # nor is a model's number
        (f"06{40068:04x}0007", f"06{40068:04x}0007"),  # the device address is
        (f"06{40070 + 19:04x}1234", f"06{40070 + 19:04x}1234"),  # the controller's heartbeat
        (f"06{40070 + 50:04x}0001", f"06{40070 + 50:04x}0001"),  # connect
        (f"06{40070 + 50:04x}0002", "8603"),  # disconnect
        (f"10{40070 + 9:04x}00020403e80064", f"10{40070 + 9:04x}0002"),
        (f"10{40070 + 9:04x}00030603e800640001", "9002"),  # runs into the state of charge
        ("049c400002", "8401"),
        ("039c40007e", "8303"),  # 126 registers
    ],
)
def test_battery_writes_what_the_model_lets_be_written(device: Any, request_hex: str, reply_hex: str) -> None:
    battery = device("sunspec-battery")
    assert pdu.execute(battery, bytes.fromhex(request_hex)).hex() == reply_hex


def test_alarm_reset_is_done_at_once(plant: Any, device: Any) -> None:
    battery = device("sunspec-battery")
    battery.write_registers(6, 40070 + 20, (1,))
    battery.refresh(plant)
    assert read(battery, 40070 + 20) == [0]


def test_values_are_held_below_the_sentinels(plant: Any) -> None:
    plant.truths.update({"grid.power_w": 50_000.0, "grid.current_ma": -900_000.0})
    meter = SunSpecMeter(phases=1)
    meter.refresh(plant)
    at = walk(meter, 40000)[201][0]
    assert read(meter, at + 18) == [0x7FFF]
    assert read(meter, at + 2) == [0x8001]
