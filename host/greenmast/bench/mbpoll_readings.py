"""What mbpoll is to read from each emulated product, as truths of the plant: a third reading of documents.

Facts only; written from the vendors' documents, not from the emulated devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Kind = tuple[str, ...]

# How mbpoll is told the kind of a register; 16-bit registers are printed unsigned.
COILS: Kind = ("-t", "0")
DISCRETE: Kind = ("-t", "1")
INPUT: Kind = ("-t", "3")
HOLDING: Kind = ("-t", "4")
INPUT_FLOAT: Kind = ("-t", "3:float", "-B")
INPUT_INT_LOW_FIRST: Kind = ("-t", "3:int")
HOLDING_INT_HIGH_FIRST: Kind = ("-t", "4:int", "-B")
HOLDING_INT_LOW_FIRST: Kind = ("-t", "4:int")
TWO_REGISTERS = (INPUT_FLOAT, INPUT_INT_LOW_FIRST, HOLDING_INT_HIGH_FIRST, HOLDING_INT_LOW_FIRST)

BYTE_ADDRESSED = ("jk-pb",)  # each register is read alone: its address counts bytes


@dataclass(frozen=True)
class Reading:
    """What mbpoll reads at `address` is `truth` x `scale` + `offset`, within `resolution` register units.

    Without a truth it is `offset`.
    """

    profile: str
    kind: Kind
    address: int
    truth: str | None
    scale: float = 1.0
    offset: float = 0.0
    resolution: float = 0.5


def _of(profile: str, *rows: tuple[Any, ...]) -> tuple[Reading, ...]:
    """`rows`: the fields of readings from `kind` on."""
    return tuple(Reading(profile, *row) for row in rows)


def _meter(profile: str, *rows: tuple[int, str, float]) -> tuple[Reading, ...]:
    """Eastron floats."""
    return tuple(
        Reading(profile, INPUT_FLOAT, address, truth, scale, resolution=0.02)
        for address, truth, scale in rows
    )


_SINGLE_PHASE = (
    (0x0000, "grid.voltage_mv", 1e-3),
    (0x0006, "grid.current_ma", 1e-3),
    (0x000C, "grid.power_w", 1.0),
    (0x0046, "grid.frequency_chz", 1e-2),
    (0x0048, "grid.energy_wh", 1e-3),
    (0x0156, "grid.energy_wh", 1e-3),
)
_SUNS = 40000  # base address; model 1 has 66 registers, so the first model after it begins at 40070
_NEXT = _SUNS + 70
_WIDE = HOLDING_INT_HIGH_FIRST

READINGS: tuple[Reading, ...] = (
    *_of("comap-il4",
        (HOLDING, 1004, "genset.rpm"),
        (HOLDING, 1006, "genset.coolant_dc", 0.1),
        (HOLDING, 1008, "genset.oil_kpa", 0.1),
        (_WIDE, 1013, "genset.run_s", 1 / 360),
        (HOLDING, 1020, "genset.power_w", 1e-3),
        (HOLDING, 1036, "genset.frequency_chz", 0.1),
        (HOLDING, 1037, "genset.voltage_mv", 1e-3),
        (HOLDING, 1043, "genset.current_ma", 1e-3),
        (HOLDING, 1055, "genset.fuel_permille", 0.1),
        (_WIDE, 1263, "genset.energy_wh", 1e-3),
    ),
    *_of("daly-bms",
        (HOLDING, 0x0020, "battery.temperature_dc", 0.1, 40.0),
        (HOLDING, 0x0028, "battery.voltage_mv", 1e-2),
        (HOLDING, 0x0029, "battery.current_ma", 1e-2, 30_000.0),
        (HOLDING, 0x002A, "battery.soc_permille"),
        (HOLDING, 0x002B, "battery.cell_max_mv"),
        (HOLDING, 0x002C, "battery.cell_min_mv"),
        (HOLDING, 0x0030, "battery.remaining_mah", 1e-2),
    ),
    *_of("datakom-d500",
        (HOLDING_INT_LOW_FIRST, 10240, "grid.voltage_mv", 1e-2),
        (HOLDING_INT_LOW_FIRST, 10246, "genset.voltage_mv", 1e-2),
        (HOLDING_INT_LOW_FIRST, 10270, "genset.current_ma", 1e-2),
        (HOLDING_INT_LOW_FIRST, 10294, "genset.power_w", 1e-2),
        (HOLDING, 10338, "grid.frequency_chz"),
        (HOLDING, 10339, "genset.frequency_chz"),
        (HOLDING, 10361, "genset.oil_kpa", 0.1),
        (HOLDING, 10362, "genset.coolant_dc"),
        (HOLDING, 10363, "genset.fuel_permille"),
        (HOLDING, 10376, "genset.rpm"),
        (HOLDING_INT_LOW_FIRST, 10616, "genset.starts"),
        (HOLDING_INT_LOW_FIRST, 10622, "genset.run_s", 1 / 36),
        (HOLDING_INT_LOW_FIRST, 10628, "genset.energy_wh", 1e-2),
    ),
    *_of("daviteq-cap10",
        (INPUT, 0, "genset.fuel_permille", 1.0, 0.0, 2.0),  # damped
        (INPUT, 1, "genset.fuel_permille"),
        (INPUT, 3, "site.temperature_dc"),
        (HOLDING, 6, None, 1.0, 30.0),
    ),
    *_of("dse-7320",
        (HOLDING, 0x0400, "genset.oil_kpa"),
        (HOLDING, 0x0401, "genset.coolant_dc", 0.1),
        (HOLDING, 0x0403, "genset.fuel_permille", 0.1),
        (HOLDING, 0x0406, "genset.rpm"),
        (HOLDING, 0x0407, "genset.frequency_chz", 0.1),
        (_WIDE, 0x0408, "genset.voltage_mv", 1e-2),
        (_WIDE, 0x0414, "genset.current_ma", 1e-2),
        (_WIDE, 0x041C, "genset.power_w"),
        (HOLDING, 0x0423, "grid.frequency_chz", 0.1),
        (_WIDE, 0x0424, "grid.voltage_mv", 1e-2),
        (_WIDE, 0x0600, "genset.power_w"),
        (_WIDE, 0x0706, "genset.run_s"),
        (_WIDE, 0x0708, "genset.energy_wh", 1e-2),
        (_WIDE, 0x0710, "genset.starts"),
    ),
    *_meter("eastron-sdm120", *_SINGLE_PHASE),
    *_meter("eastron-sdm230", *_SINGLE_PHASE),
    *_meter("eastron-sdm630",
        (0x0000, "grid.voltage_mv", 1e-3),
        (0x0030, "grid.current_ma", 1e-3),  # sum of the phases
        (0x0034, "grid.power_w", 1.0),
        (0x0046, "grid.frequency_chz", 1e-2),
        (0x0048, "grid.energy_wh", 1e-3),
    ),
    *_of("epever-tracer-an",
        (INPUT, 0x3100, "solar.voltage_mv", 0.1),
        (INPUT, 0x3101, "solar.current_ma", 0.1),
        (INPUT, 0x3104, "dc.bus_mv", 0.1),
        (INPUT_INT_LOW_FIRST, 0x3106, "solar.power_w", 100.0),
        (INPUT, 0x3110, "battery.temperature_dc", 10.0),
        (INPUT, 0x311A, "battery.soc_permille", 0.1),
        (INPUT_INT_LOW_FIRST, 0x3312, "solar.energy_wh", 0.1),
    ),
    *_of("jk-pb",
        (_WIDE, 0x1290, "battery.voltage_mv"),
        (_WIDE, 0x1298, "battery.current_ma"),
        (HOLDING, 0x129C, "battery.temperature_dc"),
        (HOLDING, 0x12A6, "battery.soc_permille", 0.1),
        (_WIDE, 0x12A8, "battery.remaining_mah"),
    ),
    *_of("meanwell-cmu2c",
        (HOLDING, 0x0001, None, 1.0, 0b1111),  # four power supplies, all of them on
        (HOLDING, 0x0010, "rectifier.setpoint_mv", 1e-2),
        (HOLDING, 0x0011, "rectifier.limit_ma", 1e-2 / 4),
        (HOLDING, 0x0200, None),  # no fault
        (INPUT, 0x0201, "rectifier.output_mv", 0.1),
        (INPUT, 0x0202, "rectifier.output_ma", 0.1 / 4),
        (INPUT, 0x0203, "rectifier.temperature_dc"),
        (INPUT, 0x0291, "rectifier.output_mv", 0.1),  # the fourth
        (INPUT, 0x0292, "rectifier.output_ma", 0.1 / 4),
    ),
    *_of("meanwell-drs",
        (INPUT, 0x0050, "rectifier.input_mv", 1e-2),
        (INPUT, 0x0060, "rectifier.output_mv", 0.1),
        (INPUT, 0x0061, "rectifier.output_ma", 0.1),
        (INPUT, 0x0062, "rectifier.temperature_dc"),
        (INPUT, 0x00D3, "battery.voltage_mv", 0.1),
        (INPUT, 0x00D4, "battery.current_ma", 0.1),
        (HOLDING, 0x0020, "rectifier.setpoint_mv", 0.1),
        (HOLDING, 0x0030, "rectifier.limit_ma", 0.1),
    ),
    *_of("pace-bms",
        (HOLDING, 0, "battery.current_ma", 0.1),
        (HOLDING, 1, "battery.voltage_mv", 0.1),
        (HOLDING, 2, "battery.soc_permille", 0.1),
        (HOLDING, 3, "battery.soh_permille", 0.1),
        (HOLDING, 4, "battery.remaining_mah", 0.1),
        (HOLDING, 31, "battery.temperature_dc"),
    ),
    *_of("pzem-017",
        (INPUT, 0, "dc.bus_mv", 0.1),
        (INPUT_INT_LOW_FIRST, 2, "load.power_w", 10.0),
        (INPUT_INT_LOW_FIRST, 4, "load.energy_wh"),
    ),
    *_of("seplos-v3",
        (INPUT, 0x1000, "battery.voltage_mv", 0.1),
        (INPUT, 0x1001, "battery.current_ma", 0.1),
        (INPUT, 0x1002, "battery.remaining_mah", 0.1),
        (INPUT, 0x1005, "battery.soc_permille"),
        (INPUT, 0x1006, "battery.soh_permille"),
        (INPUT, 0x1009, "battery.temperature_dc", 1.0, 2_731.0),
        (INPUT, 0x100A, "battery.cell_max_mv"),
        (INPUT, 0x100B, "battery.cell_min_mv"),
        (INPUT_INT_LOW_FIRST, 0x2000, "battery.voltage_mv", 0.1),
    ),
    *_of("sunspec-battery",
        (_WIDE, _SUNS, None, 1.0, 0x53756E53),
        (HOLDING, _NEXT, None, 1.0, 802),
        (HOLDING, _NEXT + 1, None, 1.0, 62),
        (HOLDING, _NEXT + 11, "battery.soc_permille"),
        (HOLDING, _NEXT + 13, "battery.soh_permille"),
        (HOLDING, _NEXT + 34, "battery.voltage_mv", 0.1),
        (HOLDING, _NEXT + 37, "battery.cell_max_mv"),
        (HOLDING, _NEXT + 40, "battery.cell_min_mv"),
        (HOLDING, _NEXT + 44, "battery.current_ma", -1e-2),
        (HOLDING, _NEXT + 59, None, 1.0, -2),  # V_SF
        (HOLDING, _NEXT + 61, None, 1.0, -1),  # A_SF
        (HOLDING, _NEXT + 64, None, 1.0, 713),
        (HOLDING, _NEXT + 68, "battery.soc_permille"),
        (HOLDING, _NEXT + 73, None, 1.0, -1),  # end
    ),
    *_of("sunspec-inverter",
        (_WIDE, _SUNS, None, 1.0, 0x53756E53),
        (HOLDING, _SUNS + 2, None, 1.0, 1),
        (HOLDING, _NEXT, None, 1.0, 103),
        (HOLDING, _NEXT + 14, "solar.power_w"),
        (HOLDING, _NEXT + 15, None),  # W_SF
        (_WIDE, _NEXT + 24, "solar.energy_wh"),
        (HOLDING, _NEXT + 27, "solar.current_ma", 0.1),
        (HOLDING, _NEXT + 28, None, 1.0, -2),  # DCA_SF
        (HOLDING, _NEXT + 29, "solar.voltage_mv", 1e-2),
        (HOLDING, _NEXT + 30, None, 1.0, -1),  # DCV_SF
        (HOLDING, _NEXT + 31, "solar.array_w"),
        (HOLDING, _NEXT + 33, "site.temperature_dc"),
        (HOLDING, _NEXT + 38, None, 1.0, 4),  # MPPT
        (HOLDING, _NEXT + 52, None, 1.0, 160),
        (HOLDING, _NEXT + 52 + 20, "solar.voltage_mv", 1e-2),  # first of two strings
        (HOLDING, _NEXT + 52 + 21, "solar.array_w", 0.5),
        (HOLDING, _NEXT + 52 + 41, "solar.array_w", 0.5),
    ),
    *_of("sunspec-meter",
        (_WIDE, _SUNS, None, 1.0, 0x53756E53),
        (HOLDING, _NEXT, None, 1.0, 203),
        (HOLDING, _NEXT + 1, None, 1.0, 105),
        (HOLDING, _NEXT + 2, "grid.current_ma", 0.1),
        (HOLDING, _NEXT + 3, "grid.current_ma", 0.1 / 3),
        (HOLDING, _NEXT + 6, None, 1.0, -2),  # A_SF
        (HOLDING, _NEXT + 7, "grid.voltage_mv", 1e-2),
        (HOLDING, _NEXT + 15, None, 1.0, -1),  # V_SF
        (HOLDING, _NEXT + 16, "grid.frequency_chz"),
        (HOLDING, _NEXT + 18, "grid.power_w"),
        (_WIDE, _NEXT + 38, None),  # exported
        (_WIDE, _NEXT + 46, "grid.energy_wh"),
    ),
    *_of("victron-mppt",
        (HOLDING, 771, "dc.bus_mv", 0.1),
        (HOLDING, 774, None, 1.0, 1),
        (HOLDING, 775, None, 1.0, 3),
        (HOLDING, 776, "solar.voltage_mv", 0.1),
        (HOLDING, 777, "solar.current_ma", 1e-2),
        (HOLDING, 789, "solar.array_w", 10.0),
        (HOLDING, 790, "solar.energy_wh", 1e-2),
        (_WIDE, 792, "solar.array_w"),
        (INPUT, 776, "solar.voltage_mv", 0.1),
    ),
    *_of("victron-shunt",
        (HOLDING, 259, "battery.voltage_mv", 0.1),
        (HOLDING, 261, "battery.current_ma", 1e-2),
        (HOLDING, 262, "battery.temperature_dc"),
        (HOLDING, 266, "battery.soc_permille"),
        (HOLDING, 304, None),  # a shunt knows no state of health
        (INPUT, 259, "battery.voltage_mv", 0.1),
    ),
    *_of("waveshare-relay-8ch",
        (COILS, 0, None, 1.0, 1.0),
        (COILS, 1, None),
        (COILS, 7, None, 1.0, 1.0),
        (DISCRETE, 0, None),
        (DISCRETE, 3, None, 1.0, 1.0),
        (HOLDING, 0x4000, None, 1.0, 1),
    ),
)  # fmt: skip
RELAYS_ON, INPUTS_CLOSED = (0, 7), (3,)  # of the relay module while it is read
