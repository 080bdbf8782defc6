"""What becomes of the registers of each product: its own image, and the examples of its documents."""

from product_images import BATTERY, INVERTER, METER, answer, converse, floats

from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding, probe, profile
from greenmast_protocol import points, quality
from greenmast_protocol.instances import Instances


def values_of(device, replies, instances=None):
    """Decode replies, one for each read of a bound device: {point: value, or word of its quality}."""
    image = Image(instances)
    rows = device[4]
    numbers = [rows[i] for i in range(0, len(rows), profile.ROW_SIZE)]
    image.refresh(image.add_source(1000, numbers))
    for number, data in enumerate(replies):
        profile.decode(rows, number, data, image)
    snapshot = image.snapshot()
    out = {}
    for i in numbers:
        code = snapshot.q[i]
        out[image.name(i)] = snapshot.v[i] if code == quality.GOOD else quality.NAMES[code]
    return out


def decoded(name):
    """All points that a product supplies in its own role, from its image."""
    p = binding.load(name)
    got = converse(probe.readings(p), name)
    (device,) = binding.bind([(p.ROLE, name, 1)])
    return values_of(device, [got[number][1] for number in range(len(p.READS))])


def of_words(name, read, registers):
    """The points of one read of a product."""
    p = binding.load(name)
    phases = getattr(p, "PHASES", 1)
    (device,) = binding.bind([(p.ROLE, name, 1, phases)])
    blank = [bytes(2 * count) for _, _, count, _ in p.READS]
    blank[read] = b"".join([bytes([word >> 8, word & 0xFF]) for word in registers])
    several = Instances({p.ROLE: phases})
    got = values_of(device, blank, several)
    rows = device[4]
    wanted = [rows[i] for i in range(0, len(rows), profile.ROW_SIZE) if rows[i + 1] == read]
    return {several.name(i): got[several.name(i)] for i in wanted}


def test_pace_takes_the_extremes_of_its_cells_and_the_hottest_probe():
    assert decoded("pace-bms") == {
        "battery.current_ma": -10_000,
        "battery.voltage_mv": 53_210,
        "battery.soc_permille": 780,
        "battery.soh_permille": 990,
        "battery.cell_max_mv": 3_345,
        "battery.cell_min_mv": 3_301,
        "battery.temperature_dc": 245,
    }


def test_jk_takes_the_charge_from_a_low_byte_and_passes_over_cells_that_are_not_there():
    assert decoded("jk-pb") == {
        "battery.voltage_mv": 53_210,
        "battery.current_ma": -12_500,
        "battery.temperature_dc": 245,
        "battery.soc_permille": 850,
        "battery.soh_permille": 990,
        "battery.cell_max_mv": 3_345,
        "battery.cell_min_mv": 3_301,
    }


def test_a_battery_whose_cells_are_all_zero_has_no_cell_voltage():
    values = of_words("jk-pb", 1, [0] * 16)
    assert values == {"battery.cell_max_mv": "sentinel", "battery.cell_min_mv": "sentinel"}


def test_the_hottest_of_probes_below_zero_is_the_warmest_of_them():
    words = [0] * 35
    words[31:35] = [0x10000 - 120, 0x10000 - 35, 0x10000 - 80, 0x10000 - 200]
    assert of_words("pace-bms", 0, words)["battery.temperature_dc"] == -35


def test_one_meter_supplies_three_phases_where_the_site_has_them():
    p = binding.load("eastron-sdm630")
    got = converse(probe.readings(p), "eastron-sdm630")
    replies = [got[number][1] for number in range(len(p.READS))]
    (three,) = binding.bind([("grid", "eastron-sdm630", 1, 3)])
    assert values_of(three, replies, Instances({"grid": 3})) == {
        "grid.l1_voltage_mv": 230_100,
        "grid.l2_voltage_mv": 229_800,
        "grid.l3_voltage_mv": 231_000,
        "grid.l1_current_ma": 4_300,
        "grid.l2_current_ma": 0,
        "grid.l3_current_ma": 2_500,
        "grid.l1_power_w": 989,
        "grid.l2_power_w": 0,
        "grid.l3_power_w": 577,
        "grid.l1_frequency_chz": 5_001,
        "grid.l1_energy_wh": 1_000_500,
        "grid.l2_energy_wh": 0,
        "grid.l3_energy_wh": 234_250,
    }
    (one,) = binding.bind([("grid", "eastron-sdm630", 1)])
    assert values_of(one, replies) == {
        "grid.voltage_mv": 230_100,
        "grid.current_ma": 4_300,
        "grid.power_w": 989,
        "grid.frequency_chz": 5_001,
        "grid.energy_wh": 1_000_500,
    }


def test_three_meters_of_one_phase_are_bound_as_before():
    bound = binding.bind([("grid", "eastron-sdm120", unit) for unit in (1, 2, 3)])
    several = Instances({"grid": 3})
    replies = [answer("eastron-sdm120", (4, 0, 14)), answer("eastron-sdm120", (4, 0x46, 4))]
    for phase, device in enumerate(bound, 1):
        values = values_of(device, replies, several)
        assert values["grid.l%d_voltage_mv" % phase] == 230_100
        assert values["grid.l%d_energy_wh" % phase] == 1_234_500
        assert len(values) == 5


def test_eastron_example_of_its_manual():
    # SDM630 manual 3.7.1: volts 1 are 43 66 33 34, that is 230.2 V.
    words = [0x4366, 0x3334] + floats(0) * 8
    assert of_words("eastron-sdm630", 0, words)["grid.l1_voltage_mv"] == 230_200


def test_comap_states_codes_and_what_is_not_configured():
    running = [code for code in range(18) if of_words("comap-il4", 0, [code])["genset.running"]]
    assert running == [7, 8, 9, 10, 15]
    faults = [code for code in range(18) if of_words("comap-il4", 0, [code])["genset.fault"]]
    assert faults == [2, 12]
    assert of_words("comap-il4", 0, [18]) == {"genset.running": "sentinel", "genset.fault": "sentinel"}
    assert [of_words("comap-il4", 6, [mode])["genset.auto"] for mode in range(4)] == [0, 0, 1, 0]
    assert of_words("comap-il4", 1, [500, 231]) == {
        "genset.frequency_chz": 5_000,
        "genset.voltage_mv": 231_000,
    }
    # IGS-NT Communication Guide p. 96: 0x27 is 3.9 bar, 0x2E is 46 degrees, 0x2B is 43 %.
    assert of_words("comap-il4", 4, [0x27]) == {"genset.oil_kpa": 390}
    assert of_words("comap-il4", 5, [0x2E]) == {"genset.coolant_dc": 460}
    assert of_words("comap-il4", 7, [0x2B]) == {"genset.fuel_permille": 430}
    for read in (2, 4, 5, 7):
        assert list(of_words("comap-il4", read, [0x8000]).values()) == ["sentinel"], read
    assert of_words("comap-il4", 8, [0x8000, 0]) == {"genset.run_s": "sentinel"}
    assert of_words("comap-il4", 8, [0, 12_345]) == {"genset.run_s": 4_444_200}


def test_datakom_has_the_low_word_first_and_runs_until_it_has_cooled_down():
    running = [code for code in range(26) if of_words("datakom-d500", 0, [code, 4])["genset.running"]]
    assert running == list(range(6, 24))
    modes = [of_words("datakom-d500", 0, [0, mode])["genset.auto"] for mode in (1, 2, 4, 8)]
    assert modes == [0, 0, 1, 0]
    assert of_words("datakom-d500", 2, [2305, 0]) == {"genset.voltage_mv": 230_500}
    assert of_words("datakom-d500", 3, [0x0001, 0]) == {"genset.power_w": 100}
    assert of_words("datakom-d500", 5, [39, 0x10000 - 52, 612]) == {
        "genset.oil_kpa": 390,
        "genset.coolant_dc": -52,
        "genset.fuel_permille": 612,
    }
    assert of_words("datakom-d500", 5, [39, 0x7FFF, 612])["genset.coolant_dc"] == "out_of_range"
    assert of_words("datakom-d500", 7, [0xE240, 1]) == {"genset.run_s": 4_444_416}
    assert of_words("datakom-d500", 8, [0xE240, 1]) == {"genset.energy_wh": 12_345_600}


def test_meanwell_rack_example_of_its_manual():
    # CMU2C manual 5.3.6.2: 0x157C is 55.00 V.
    assert of_words("meanwell-cmu2c", 0, [0x157C]) == {"rectifier.output_mv": 55_000}
    assert of_words("meanwell-cmu2c", 1, [1 << 5]) == {"rectifier.ac_present": 0}
    assert of_words("meanwell-cmu2c", 2, [540]) == {"rectifier.setpoint_mv": 54_000}


def test_a_victron_gateway_says_zero_for_what_it_does_not_know():
    assert decoded("victron-shunt") == {
        "battery.voltage_mv": 53_210,
        "battery.current_ma": -12_500,
        "battery.temperature_dc": 231,
        "battery.soc_permille": 785,
    }
    unknown = of_words("victron-shunt", 0, [0] * 8)
    assert [unknown[point] for point in sorted(unknown)] == [0, "sentinel", "sentinel", "sentinel"]
    solar = decoded("victron-mppt")
    assert solar["solar.voltage_mv"] == 98_760
    assert solar["solar.power_w"] == 654
    assert solar["solar.energy_wh"] == 1_234_500


def test_a_fuel_sender_supplies_the_level_before_the_genset_does():
    genset, fuel = binding.bind([("genset", "dse-7320", 10), ("fuel", "daviteq-cap10", 30)])
    level = points.index("genset.fuel_permille")
    assert level not in [genset[4][i] for i in range(0, len(genset[4]), profile.ROW_SIZE)]
    assert values_of(fuel, [answer("daviteq-cap10", (4, 0, 1))]) == {"genset.fuel_permille": 612}


def test_sunspec_values_with_scale_factors_from_the_same_reply():
    assert decoded("sunspec-inverter") == {
        "solar.energy_wh": 1_234_567,
        "solar.current_ma": 13_500,
        "solar.voltage_mv": 385_200,
        "solar.power_w": 5_200,
    }
    assert decoded("sunspec-battery") == {
        "battery.soc_permille": 785,
        "battery.soh_permille": 990,
        "battery.voltage_mv": 53_210,
        "battery.cell_max_mv": 3_345,
        "battery.cell_min_mv": 3_301,
        "battery.current_ma": 12_500,
        "battery.charge_limit_ma": 100_000,
        "battery.discharge_limit_ma": 150_000,
    }
    meter = decoded("sunspec-meter")  # at a site of one phase
    assert meter == {
        "grid.voltage_mv": 230_100,
        "grid.current_ma": 10_000,
        "grid.power_w": 2_300,
        "grid.frequency_chz": 5_001,
        "grid.energy_wh": 1_000,
    }


def test_sunspec_says_what_it_lacks():
    body = [103, 50] + INVERTER[:36]
    for at, absent, point in (
        (27, 0xFFFF, "solar.current_ma"),
        (29, 0xFFFF, "solar.voltage_mv"),
        (31, 0x8000, "solar.power_w"),
        (28, 0x8000, "solar.current_ma"),  # its scale factor
        (30, 11, "solar.voltage_mv"),  # one that cannot be
        (30, 0x10000 - 11, "solar.voltage_mv"),
    ):
        words = list(body)
        words[at] = absent
        assert of_words("sunspec-inverter", 0, words)[point] == "sentinel", at
    words = list(body)
    words[24:26] = [0, 0]  # an accumulator that counts nothing
    assert of_words("sunspec-inverter", 0, words)["solar.energy_wh"] == "sentinel"
    meter = [203, 105] + METER[:53]
    meter[8] = 0x8000
    assert of_words("sunspec-meter", 0, meter)["grid.l1_voltage_mv"] == "sentinel"
    battery = [802, 62] + BATTERY
    battery[44] = 0x8000
    assert of_words("sunspec-battery", 0, battery)["battery.current_ma"] == "sentinel"


def test_scale_factors_multiply_and_divide_to_the_nearest_integer():
    for power, expected in ((2, 520_000_000), (0, 5_200_000), (-2, 52_000), (-7, 1), (-10, 0)):
        words = [103, 50] + INVERTER[:36]
        words[30] = power & 0xFFFF
        words[29] = 5_200
        got = of_words("sunspec-inverter", 0, words)["solar.voltage_mv"]
        assert got == (expected if expected <= 1_000_000 else "out_of_range"), power


def test_inputs_of_a_module_are_points_that_may_be_inverted():
    door = points.index("site.door_open")
    mains = points.index("grid.mains_ok")
    (module,) = binding.bind([("io", "waveshare-relay-8ch", 1)], [(door, 1, 0), (mains, 7, 1)])
    assert list(module[3]) == [2, 0, 8, 1, 1, 0, 8, 1]
    for bits, expected in ((0b10, [1, 1]), (0b10000000, [0, 0]), (0, [0, 1]), (0xFF, [1, 0])):
        values = values_of(module, [bytes([bits])])
        assert [values["site.door_open"], values["grid.mains_ok"]] == expected
    (bare,) = binding.bind([("io", "waveshare-relay-8ch", 1)])
    assert list(bare[3]) == [1, 0, 8, 1]
