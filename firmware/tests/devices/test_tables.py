"""What every profile must obey, whatever its product."""

from greenmast_fw.devices import binding, profile
from greenmast_protocol import config, instances, points

PHASE = ("l1_", "l2_", "l3_")
NAMES = "manufacturer model serial firmware hardware".split()
# What a second request costs at least, in registers: request and reply without data, two pauses of 3.5
# characters, and a slave that answers at once.
REQUEST_REGISTERS = (8 + 5 + 7) // 2


def registers(kind, divisor=1):
    """How many registers a row of this type takes."""
    if kind & 0x70 in (profile.HIGHEST, profile.LEAST):
        return divisor
    return 2 if kind & profile.WIDE else 1


def plain(point):
    """The point of the table that a row is about."""
    role, rest = point.split(".")
    return role + "." + rest[3:] if rest[:3] in PHASE else point


def test_every_product_says_where_its_facts_are_from_and_how_it_is_reached():
    for name in binding.PROFILES:
        p = binding.load(name)
        assert p.NAME == name
        assert p.ROLE in config.ROLES
        assert p.TEXT
        assert p.TIMEOUT_MS > 0
        assert p.GAP_MS >= 0
        baud, parity, stop, address = p.LINK
        assert baud in (0, 2400, 9600, 19200, 38400, 115200)  # 0: Modbus TCP
        assert parity in "NEO"
        assert stop in (1, 2)
        assert 0 <= address <= 255
        supplied = [row[0] for row in p.ROWS]
        assert len(p.SOURCES) >= 2 or sorted(p.SINGLE_SOURCE) == sorted(supplied), name
        for point in p.SINGLE_SOURCE:
            assert point in supplied, (name, point)


def test_reads_keep_to_the_limits_of_their_product():
    for name in binding.PROFILES:
        p = binding.load(name)
        for function, start, count, every in p.READS:
            assert function in (1, 2, 3, 4)
            assert 0 <= start <= 0xFFFF
            assert 1 <= count <= min(p.READ_MAX, 125), name
            assert every >= 1
            if name.startswith("eastron-"):
                assert start % 2 == count % 2 == 0, (name, start)


def test_no_value_is_split_over_two_reads():
    for name in binding.PROFILES:
        p = binding.load(name)
        seen = set()
        for point, read, offset, kind, multiplier, divisor, _ in p.ROWS:
            assert points.find(plain(point)) >= 0, (name, point)
            assert point not in seen, (name, point)
            seen.add(point)
            function, _, count, _ = p.READS[read]
            assert (function <= 2) == (kind == profile.BIT)
            assert offset + registers(kind, divisor) <= count, (name, point)
            if kind & profile.SUNSPEC:
                assert 0 <= divisor < count, (name, point, "the scale factor comes in the same reply")
            assert multiplier
            assert divisor > 0


def test_a_small_gap_is_read_over_where_the_product_allows_it():
    for name in binding.PROFILES:
        p = binding.load(name)
        if getattr(p, "HOLES", False):
            continue
        for function, start, count, every in p.READS:
            for other, begin, size, period in p.READS:
                if (function, every) != (other, period) or begin <= start:
                    continue
                gap = begin - start - count
                fits = begin + size - start <= p.READ_MAX
                assert gap > REQUEST_REGISTERS or not fits, (name, start, begin)


def test_reads_of_one_product_do_not_overlap():
    for name in binding.PROFILES:
        p = binding.load(name)
        met = set()
        for function, start, count, _ in p.READS:
            for address in range(start, start + count):
                assert (function, address) not in met, (name, address)
                met.add((function, address))


def test_values_of_one_measurement_are_read_together():
    apart = ("victron-mppt", "meanwell-cmu2c")
    for name in binding.PROFILES:
        p = binding.load(name)
        for group in (("voltage_mv", "current_ma"), ("output_mv", "output_ma")):
            reads = {row[1] for row in p.ROWS if row[0] in [p.ROLE + "." + unit for unit in group]}
            assert len(reads) <= 1 or name in apart, (name, group)


def test_what_can_be_set_is_read_back_and_switches_say_both_states():
    for name in binding.PROFILES:
        p = binding.load(name)
        supplied = [row[0] for row in p.ROWS]
        for point, function, _, multiplier, divisor, low, high in p.WRITES:
            assert point in supplied, (name, "a setpoint is read back")
            assert function in (6, 16)
            assert low < high
            assert 0 <= low * multiplier // divisor
            assert high * multiplier // divisor <= 0xFFFF
        for point, function, address, on, off in p.SWITCHES:
            assert point == "io" or points.find(point) >= 0
            assert function in (5, 6, 16)
            assert 0 <= address <= 0xFFFF
            assert len(on) == len(off)
            assert len(on) == 1 or function == 16
            assert on != off
            if function == 5:
                assert (on, off) == ((0xFF00,), (0,))


def test_a_genset_is_started_in_automatic_only_and_says_whether_it_is():
    met = 0
    for name in binding.PROFILES:
        p = binding.load(name)
        if p.ROLE != "genset":
            continue
        met += 1
        assert "genset.auto" in [row[0] for row in p.ROWS]
        assert [row[0] for row in p.SWITCHES] == ["output.genset_start"]
        on, off = p.READY
        assert on, name
        for function, _, count, checks in on + off:
            assert function == 3
            for offset, kind, low, high in checks:
                assert not kind & profile.SIGNED
                assert offset + registers(kind) <= count
                assert low <= high
    assert met == 3


def test_a_product_is_recognised_by_its_own_words_or_by_several_checks():
    for name in binding.PROFILES:
        p = binding.load(name)
        if hasattr(p, "MODELS"):
            assert p.PROBE == ()
            assert all([0 < model < 0xFFFF for model in p.MODELS])
            continue
        assert p.PROBE, name
        said = 0
        for function, address, count, checks in p.PROBE:
            assert function in (1, 2, 3, 4)
            assert 0 <= address <= 0xFFFF
            assert 1 <= count <= 125
            for offset, kind, low, high in checks or ():
                assert low <= high
                assert offset + registers(kind) <= count
                said += 1
        assert said >= 2 or any([checks is None for _, _, _, checks in p.PROBE]), name


def test_what_it_says_of_itself_has_a_known_name():
    for name in binding.PROFILES:
        for said, function, _, count, kind in binding.load(name).IDENTITY:
            assert said in NAMES
            assert function in (3, 4)
            assert kind == profile.TEXT16 or count == registers(kind), (name, said)


def test_phases_are_those_of_a_role_that_has_them():
    for name in binding.PROFILES:
        p = binding.load(name)
        named = sorted({row[0].split(".")[1][:3] for row in p.ROWS if plain(row[0]) != row[0]})
        if not hasattr(p, "PHASES"):
            assert named == []
            continue
        assert p.PHASES == instances.PHASES_MAX
        assert p.ROLE in instances.PHASES
        assert named == list(PHASE)
