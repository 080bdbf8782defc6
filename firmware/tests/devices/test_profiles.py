"""The register tables against the facts of their products, and what every table must obey."""

from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding, profile
from greenmast_protocol import points, quality

INDIA_RURAL_METERS = (
    ("grid", "eastron-sdm230", 1),
    ("genset", "dse-7320", 10),
    ("battery", "daly-bms", 0xD2),
    ("load", "pzem-017", 3),
)
INDIA_RURAL_POWER = (("solar", "epever-tracer-an", 1), ("rectifier", "meanwell-drs", 0x83))


def numbers(device, read=None):
    """Numbers of the points that the bound device supplies, or only those of its read number `read`."""
    rows = device[4]
    starts = range(0, len(rows), profile.ROW_SIZE)
    return [rows[i] for i in starts if read is None or rows[i + 1] == read]


def names(device):
    return [points.NAMES[number] for number in numbers(device)]


def read_values(name, read, registers):
    """Decode one reply: {point: value, or the quality code of one that is not good, as a string}."""
    product = binding.load(name)
    device = binding.bind([(product.ROLE, name, 1)])[0]
    image = Image()
    source = image.add_source(1000, numbers(device, read))
    data = bytearray(2 * product.READS[read][2])
    for offset, value in registers.items():
        data[2 * offset] = (value & 0xFFFF) >> 8
        data[2 * offset + 1] = value & 0xFF
    profile.decode(device[4], read, memoryview(data), image)
    image.refresh(source)
    snapshot = image.snapshot()
    values = {}
    for number in numbers(device, read):
        code = snapshot.q[number]
        values[points.NAMES[number]] = snapshot.v[number] if code == quality.GOOD else quality.NAMES[code]
    return values


def test_daly_current_counts_from_30000_and_is_positive_when_charging():
    registers = {0x28: 532, 0x29: 29969, 0x2A: 823, 0x2B: 3345, 0x2C: 3301, 0x2D: 68, 0x2E: 64}
    assert read_values("daly-bms", 0, registers) == {
        "battery.voltage_mv": 53_200,
        "battery.current_ma": -3_100,
        "battery.soc_permille": 823,
        "battery.cell_max_mv": 3_345,
        "battery.cell_min_mv": 3_301,
        "battery.temperature_dc": 280,
    }
    registers[0x29] = 30250
    registers[0x2D] = 35
    values = read_values("daly-bms", 0, registers)
    assert values["battery.current_ma"] == 25_000
    assert values["battery.temperature_dc"] == -50


def test_epever_soc_is_whole_percent_and_32_bit_values_have_the_low_word_first():
    assert read_values("epever-tracer-an", 2, {0: 0x46, 1: -250}) == {
        "battery.soc_permille": 700,
        "battery.temperature_dc": -25,
    }
    assert read_values("epever-tracer-an", 0, {0: 9_876, 1: 1_234, 2: 0x4F1A, 3: 0x0001, 4: 5_321}) == {
        "solar.voltage_mv": 98_760,
        "solar.current_ma": 12_340,
        "solar.power_w": 858,
        "battery.voltage_mv": 53_210,
    }
    assert read_values("epever-tracer-an", 1, {0: 0x0001, 1: 0x0001}) == {"solar.energy_wh": 655_370}


def test_eastron_floats_become_the_nearest_integer_and_what_is_no_number_is_invalid():
    # 230.2 V, 4.35 A, -1001.5 W; 49.98 Hz; 12345.678 kWh
    registers = {0: 0x4366, 1: 0x3333, 6: 0x408B, 7: 0x3333, 12: 0xC47A, 13: 0x6000}
    assert read_values("eastron-sdm230", 0, registers) == {
        "grid.voltage_mv": 230_200,
        "grid.current_ma": 4_350,
        "grid.power_w": -1_002,
    }
    assert read_values("eastron-sdm230", 1, {0: 0x4247, 1: 0xEB85, 2: 0x4640, 3: 0xE6B6}) == {
        "grid.frequency_chz": 4_998,
        "grid.energy_wh": 12_345_678,
    }
    for high, low in ((0x7FC0, 0), (0x7F80, 0), (0xFF80, 0), (0x7F80, 1), (0xFFC0, 0)):
        assert read_values("eastron-sdm230", 1, {0: high, 1: low})["grid.frequency_chz"] == "not_a_number"
    # Words swapped, or the largest float there is: not a frequency, whatever it is.
    assert read_values("eastron-sdm230", 1, {0: 0xEB85, 1: 0x4247})["grid.frequency_chz"] == "out_of_range"
    assert read_values("eastron-sdm230", 1, {0: 0x7F7F, 1: 0xFFFF})["grid.frequency_chz"] == "out_of_range"
    assert read_values("eastron-sdm230", 1, {0: 0, 1: 0})["grid.frequency_chz"] == 0
    assert read_values("eastron-sdm230", 1, {0: 0x8000, 1: 1})["grid.frequency_chz"] == 0


def test_dse_values_and_every_sentinel():
    registers = {0: 420, 1: -5, 3: 62, 6: 1502, 7: 501, 8: 0, 9: 2305}
    assert read_values("dse-7320", 0, registers) == {
        "genset.oil_kpa": 420,
        "genset.coolant_dc": -50,
        "genset.fuel_permille": 620,
        "genset.rpm": 1_502,
        "genset.frequency_chz": 5_010,
        "genset.voltage_mv": 230_500,
    }
    for low in range(0xFFF8, 0x10000):
        registers = {0: low, 1: low & 0x7FFF, 3: low, 6: low, 7: low, 8: 0xFFFF, 9: low}
        values = read_values("dse-7320", 0, registers)
        assert set(values.values()) == {"sentinel"}, low
        assert read_values("dse-7320", 3, {0: 0x7FFF, 1: low}) == {"genset.power_w": "sentinel"}
        assert read_values("dse-7320", 2, {0: low, 2: low}) == {
            "genset.fault": "sentinel",
            "genset.auto": "sentinel",
        }
        assert read_values("dse-7320", 1, {0: low}) == {"genset.running": "sentinel"}
    assert read_values("dse-7320", 3, {0: 0xFFFF, 1: 0xFFFF}) == {"genset.power_w": -1}
    long_ago = {0: 0x0001, 1: 0x0002, 2: 0, 3: 1234, 10: 0, 11: 57}
    assert read_values("dse-7320", 4, long_ago) == {
        "genset.run_s": 65_538,
        "genset.energy_wh": 123_400,
        "genset.starts": 57,
    }


def test_dse_runs_while_warming_running_and_cooling_and_faults_on_shutdown_bits_alone():
    running = [read_values("dse-7320", 1, {0: code})["genset.running"] for code in range(8)]
    assert running == [0, 0, 1, 1, 1, 0, 0, 0]
    assert read_values("dse-7320", 1, {0: 15}) == {"genset.running": "sentinel"}
    assert read_values("dse-7320", 2, {2: 1 << 11})["genset.fault"] == 0  # a warning
    for bit in (7, 12, 13, 14):
        assert read_values("dse-7320", 2, {2: 1 << bit})["genset.fault"] == 1 << bit
    auto = [read_values("dse-7320", 2, {0: mode})["genset.auto"] for mode in range(8)]
    assert auto == [0, 1, 0, 0, 1, 0, 0, 0]


def test_pzem_power_has_the_low_word_first_in_tenths_of_a_watt():
    assert read_values("pzem-017", 0, {0: 5_321, 2: 0x5014, 3: 0, 4: 0xE240, 5: 1}) == {
        "dc.bus_mv": 53_210,
        "load.power_w": 2_050,
        "load.energy_wh": 123_456,
    }


def test_meanwell_reports_ac_by_the_absence_of_the_ac_fail_bit():
    assert read_values("meanwell-drs", 0, {0: 5_400, 1: 11_111}) == {
        "rectifier.output_mv": 54_000,
        "rectifier.output_ma": 111_110,
    }
    assert read_values("meanwell-drs", 1, {0: 0}) == {"rectifier.ac_present": 1}
    assert read_values("meanwell-drs", 1, {0: 1 << 5}) == {"rectifier.ac_present": 0}
    assert read_values("meanwell-drs", 1, {0: 1 << 6}) == {"rectifier.ac_present": 1}


def test_meanwell_setpoints_are_clamped_before_they_are_scaled():
    setpoint, limit = binding.load("meanwell-drs").WRITES
    assert profile.register_value(setpoint, 54_000) == 5_400
    assert profile.register_value(setpoint, 54_006) == 5_401
    assert profile.register_value(setpoint, 0) == 4_200
    assert profile.register_value(setpoint, 99_999) == 5_760
    assert profile.register_value(limit, -1) == 0
    assert profile.register_value(limit, 10**9) == 65_535


def test_seplos_block_gives_limits_health_and_kelvin_temperatures():
    registers = {0: 5_312, 1: -3_000, 5: 815, 6: 990, 10: 3_330, 11: 3_310, 12: 3_021, 15: 150, 16: 100}
    assert read_values("seplos-v3", 0, registers) == {
        "battery.voltage_mv": 53_120,
        "battery.current_ma": -30_000,
        "battery.soc_permille": 815,
        "battery.soh_permille": 990,
        "battery.cell_max_mv": 3_330,
        "battery.cell_min_mv": 3_310,
        "battery.temperature_dc": 290,
        "battery.discharge_limit_ma": 150_000,
        "battery.charge_limit_ma": 100_000,
    }


def cycle_us(bus, baud, turnaround_us):
    """Longest scan: every read due, each as long as the line makes it."""
    gap_us = 38_500_000 // baud if baud <= 19200 else 1_750
    total = 0
    for _, name, _ in bus:
        p = binding.load(name)
        for _, _, count, _ in p.READS:
            total += (13 + 2 * count) * 11_000_000 // baud + 2 * gap_us + turnaround_us + 1000 * p.GAP_MS
    return total


def test_the_longest_scan_of_the_rural_site_fits_its_period():
    assert cycle_us(INDIA_RURAL_METERS, 9600, 45_000) < 1_000_000
    assert cycle_us(INDIA_RURAL_POWER, 115_200, 45_000) < 1_000_000


def test_a_point_has_one_supplier_and_the_role_comes_first():
    wanted = list(INDIA_RURAL_POWER + INDIA_RURAL_METERS)
    bound = binding.bind(wanted)
    supplied = [n for device in bound for n in numbers(device)]
    assert len(supplied) == len(set(supplied))
    by_role = {wanted[i][0]: names(bound[i]) for i in range(len(wanted))}
    assert "battery.soc_permille" in by_role["battery"]
    assert all([name.startswith("solar.") for name in by_role["solar"]])
    assert by_role["load"][0] == "dc.bus_mv"


def test_a_charge_controller_stands_in_for_a_missing_bms():
    (solar,) = binding.bind([("solar", "epever-tracer-an", 1)])
    assert "battery.voltage_mv" in names(solar)
    assert "battery.soc_permille" in names(solar)


def test_a_device_keeps_what_polling_it_needs_and_nothing_else():
    solar, battery = binding.bind([("solar", "epever-tracer-an", 1), ("battery", "daly-bms", 0xD2)])
    unit, timeout_ms, gap_ms, reads, _, writes, ready, walker = solar
    assert (unit, timeout_ms, gap_ms, writes, ready, walker) == (1, 300, 10, (), ((), ()), None)
    assert list(reads) == [4, 0x3100, 5, 1, 4, 0x3312, 2, 10]
    assert len(numbers(solar, 0)) == 3
    assert len(numbers(solar, 1)) == 1
    assert len(numbers(battery)) == len(binding.load("daly-bms").ROWS)


def test_a_setpoint_belongs_to_the_role_of_the_device():
    assert len(binding.bind([("rectifier", "meanwell-drs", 1)])[0][5]) == 2
    assert binding.bind([("load", "meanwell-drs", 1)])[0][5] == ()


def test_an_unknown_profile_is_an_error():
    for name in ("no-such", "profile", "", "../daly-bms"):
        try:
            binding.load(name)
        except KeyError:
            continue
        raise AssertionError(name)
