"""Rack controller, fuel sensor and relay module: each register by its function, writes that do something."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu
from greenmast.emulator.devices.meanwell_cmu2c import MeanwellCmu2c


@pytest.fixture
def rack(device: Any) -> Any:
    return device("meanwell-cmu2c")


@pytest.fixture
def module(device: Any) -> Any:
    return device("waveshare-relay-8ch")


def answer(device: Any, request_hex: str) -> str:
    return pdu.execute(device, bytes.fromhex(request_hex)).hex()


def on(module: Any) -> list[int]:
    return [channel for channel, state in module.coils.items() if state]


def test_rack_shares_the_output_among_its_supplies(rack: Any) -> None:
    for number in range(4):
        at = 0x0200 + 0x30 * number
        assert rack.read_registers(4, at + 1, 3) == [5_321, 833, 412]
        assert rack.read_registers(3, at, 1) == [0]
    assert rack.read_registers(3, 0x0010, 2) == [540, 250]


def test_rack_answers_a_register_by_its_functions_only(rack: Any) -> None:
    assert answer(rack, "0302010001") == "8302"  # a measurement
    assert answer(rack, "0402000001") == "8402"  # a status
    assert answer(rack, "0400100001") == "8402"  # a setting
    assert answer(rack, "0300000001") == "8302"  # all supplies at once: write only
    assert answer(rack, "0302c00001") == "8302"  # a slot without a supply


def test_rack_names_its_supplies_as_the_manual_shows(rack: Any) -> None:
    assert answer(rack, "0302100006") == "030c" + b"MEANWELL    ".hex()
    assert answer(rack, "03021c0003") == "03060a0a0affffff"
    serial = rack.read_registers(3, 0x0224 + 0x30, 6)
    assert b"".join(word.to_bytes(2, "big") for word in serial) == b"230401000002"


def test_rack_sets_voltage_and_current_of_every_supply(plant: Any, rack: Any) -> None:
    assert answer(rack, "1000100002040214012c") == "1000100002"  # 53.2 V, 30.0 A
    rack.refresh(plant)
    assert plant.rectifier.setpoint_mv == 53_200.0
    assert plant.rectifier.limit_ma == 120_000.0
    assert answer(rack, "0300100002") == "03040214012c"
    rack.write_registers(6, 0x0010, (700,))
    rack.refresh(plant)
    assert plant.rectifier.setpoint_mv == 58_000.0


def test_rack_leaves_what_others_set_alone(plant: Any, rack: Any) -> None:
    plant.rectifier.limit_ma = 80_000.0
    plant.rectifier.setpoint_mv = 51_510.0
    rack.refresh(plant)
    assert (plant.rectifier.limit_ma, plant.rectifier.setpoint_mv) == (80_000.0, 51_510.0)
    assert rack.read_registers(3, 0x0010, 2) == [515, 200]


def test_supplies_that_are_off_give_nothing_and_take_their_part_of_the_limit(plant: Any, rack: Any) -> None:
    rack.write_registers(6, 0x0001, (0b0101,))
    rack.refresh(plant)
    assert plant.rectifier.limit_ma == 50_000.0
    assert rack.read_registers(3, 0x0001, 3) == [0b0101, 0, 0]
    assert rack.read_registers(4, 0x0202, 1) == [1_666]
    assert rack.read_registers(4, 0x0231, 2) == [0, 0]
    assert rack.read_registers(3, 0x0230, 1) == [1 << 6]
    assert answer(rack, "0600000000") == "0600000000"
    rack.refresh(plant)
    assert plant.rectifier.limit_ma == 0.0
    assert answer(rack, "0600000001") == "0600000001"
    rack.refresh(plant)
    assert plant.rectifier.limit_ma == 100_000.0
    assert rack.read_registers(3, 0x0001, 1) == [0b1111]


def test_rack_without_ac_says_so(plant: Any, rack: Any) -> None:
    plant.truths["rectifier.ac_present"] = 0.0
    rack.refresh(plant)
    assert rack.read_registers(3, 0x0200, 1) == [1 << 5 | 1 << 6]
    assert rack.read_registers(4, 0x0204, 2) == [0, 0]  # fans


@pytest.mark.parametrize(
    ("request_hex", "reply_hex"),
    [
        ("0600000002", "8603"),
        ("0600120001", "8602"),
        ("06020000ff", "8602"),
        ("0600300001", "0600300001"),  # relay 1
        ("0600380002", "8603"),
        ("0500000000", "8501"),
    ],
)
def test_rack_takes_only_what_is_to_be_set(rack: Any, request_hex: str, reply_hex: str) -> None:
    assert answer(rack, request_hex) == reply_hex


def test_a_rack_has_48_slots(plant: Any) -> None:
    full = MeanwellCmu2c(48)
    full.refresh(plant)
    assert full.read_registers(3, 0x0001, 3) == [0xFFFF] * 3
    assert full.read_registers(4, 0x0201 + 0x30 * 47, 1) == [5_321]
    with pytest.raises(ValueError, match="48"):
        MeanwellCmu2c(49)


def test_fuel_is_damped_and_undamped(plant: Any, device: Any) -> None:
    sensor = device("daviteq-cap10")
    assert sensor.read_registers(4, 0, 5) == [712, 712, round(200 + 0.712 * 220), 335, 120]
    plant.truths["genset.fuel_permille"], plant.time_s = 500.0, 2.0
    sensor.refresh(plant)
    damped, level = sensor.read_registers(4, 0, 2)
    assert level == 500
    assert 500 < damped < 712
    plant.time_s = 60.0
    sensor.refresh(plant)
    assert sensor.read_registers(4, 0, 2) == [500, 500]


def test_fuel_sensor_shows_theft_as_tilt(plant: Any, device: Any) -> None:
    sensor = device("daviteq-cap10")
    for minute in range(1, 4):
        plant.time_s = 60.0 * minute
        plant.truths["genset.fuel_permille"] = 712.0 - 50.0 * minute
        sensor.refresh(plant)
    assert sensor.read_registers(4, 5, 1) == [-50 & 0xFFFF]


@pytest.mark.parametrize(
    ("request_hex", "reply_hex"),
    [
        ("0300060003", "0306001e00010000"),
        ("0400060001", "8402"),
        ("0600060007", "0600060007"),
        ("06000600f8", "8603"),
        ("0600090001", "8602"),
        ("0375310001", "8302"),  # 30001 is a name, not an address
    ],
)
def test_fuel_sensor_settings(device: Any, request_hex: str, reply_hex: str) -> None:
    assert answer(device("daviteq-cap10"), request_hex) == reply_hex


def test_relays_begin_open_and_inputs_as_they_are_wired(module: Any) -> None:
    assert answer(module, "0100000008") == "010100"
    module.discrete[3] = True
    assert answer(module, "0200000008") == "020108"


@pytest.mark.parametrize(
    ("requests", "relays"),
    [
        (["050002ff00"], [2]),
        (["050002ff00", "0500020000"], []),
        (["0500005500", "0500015500", "0500005500"], [1]),  # toggle
        (["0500ffff00"], list(range(8))),  # all
        (["050003ff00", "0500ff5500"], [0, 1, 2, 4, 5, 6, 7]),  # toggle all
        (["050103ff00", "050104ff00", "050103ff00"], [4]),  # by address
        (["050001ff00", "0501ffff00"], [0, 2, 3, 4, 5, 6, 7]),
        (["0f0000000801a5"], [0, 2, 5, 7]),
        (["0500ffff00", "0f000200030105"], [0, 1, 2, 4, 5, 6, 7]),  # three of them
    ],
)
def test_relays_are_switched(module: Any, requests: list[str], relays: list[int]) -> None:
    for request_hex in requests:
        reply = answer(module, request_hex)
        assert reply == request_hex[:10]  # the request, without the bits of function 15
    assert on(module) == relays


@pytest.mark.parametrize(
    ("request_hex", "reply_hex"),
    [
        ("050008ff00", "8502"),
        ("0500000001", "8503"),
        ("050600ff00", "8502"),
        ("0f0001000801ff", "8f02"),
        ("0100000009", "8102"),
        ("0200080001", "8202"),
        ("0380000001", "030200c8"),  # V2.00
        ("0680000001", "8602"),
        ("0340000001", "03020001"),
        ("0640000000", "8603"),
        ("0620000107", "0620000107"),
        ("0620000008", "8603"),
        ("0610000004", "8603"),
        ("0400000001", "8401"),
    ],
)
def test_relay_module_answers_and_refuses(module: Any, request_hex: str, reply_hex: str) -> None:
    assert answer(module, request_hex) == reply_hex


def test_a_relay_flashes_for_the_time_written(plant: Any, module: Any) -> None:
    assert answer(module, "0502010007") == "0502010007"  # 0.7 s closed
    answer(module, "050005ff00")
    answer(module, "0504050014")  # 2 s open
    assert on(module) == [1]
    plant.time_s = 0.6
    module.refresh(plant)
    assert on(module) == [1]
    plant.time_s = 0.8
    module.refresh(plant)
    assert on(module) == []
    plant.time_s = 2.0
    module.refresh(plant)
    assert on(module) == [5]


def test_switching_ends_a_flash(plant: Any, module: Any) -> None:
    answer(module, "0502010007")
    answer(module, "050001ff00")
    plant.time_s = 1.0
    module.refresh(plant)
    assert on(module) == [1]


def test_inputs_act_on_relays_as_their_mode_says(plant: Any, module: Any) -> None:
    modes = {0: 0, 1: 1, 2: 2, 3: 3}  # normal, linkage, toggle, edge
    for channel, mode in modes.items():
        answer(module, f"06{0x1000 + channel:04x}{mode:04x}")
    module.discrete.update(dict.fromkeys(modes, True))
    module.refresh(plant)
    assert on(module) == [1, 2, 3]
    module.discrete.update(dict.fromkeys(modes, False))
    module.refresh(plant)
    assert on(module) == [2]


def test_relays_keep_their_state_whatever_the_plant_does(plant: Any, module: Any) -> None:
    coils, inputs = module.coils, module.discrete
    answer(module, "050004ff00")
    for hour in range(3):
        plant.time_s = 3_600.0 * hour
        module.refresh(plant)
    assert on(module) == [4]
    assert module.coils is coils  # who is wired to them keeps hold of them
    assert module.discrete is inputs
