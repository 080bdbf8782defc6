"""Walking the models of SunSpec devices: wherever they begin, however long, and when they change."""

from product_images import BATTERY, COMMON, INVERTER, METER, REFUSES, sunspec

from greenmast_fw.devices import sunspec as chain


def word(blocks, address):
    for of, start in blocks:
        if start <= address < start + len(blocks[(of, start)]):
            return blocks[(of, start)][address - start]
    return None


def walk(walker, blocks, lacks=REFUSES, limit=1000):
    """Walk to the end; gives the addresses asked."""
    asked = []
    while walker.at >= 0:
        assert len(asked) < limit, "it runs for ever"
        asked.append(walker.at)
        first, second = word(blocks, walker.at), word(blocks, walker.at + 1)
        if first is None or second is None:
            if lacks == REFUSES:
                walker.refused()
                continue
            first = second = lacks
        walker.took(bytes([first >> 8, first & 0xFF, second >> 8, second & 0xFF]))
    return asked


def test_the_chain_is_found_at_each_of_its_three_bases():
    for base, asked in ((40_000, 1), (50_000, 2), (0, 3)):
        for lacks in (REFUSES, 0, 0xFFFF):
            walker = chain.Walker((103,), 52)
            addresses = walk(walker, sunspec((1, COMMON), (103, INVERTER), base=base), lacks)
            assert walker.start == base + 2 + 2 + len(COMMON), (base, lacks)
            assert addresses[asked - 1] == base
            assert len(addresses) == asked + 2  # the mark, model 1, model 103


def test_lengths_are_those_of_the_device_not_of_the_standard():
    for length in (15, 65, 66, 70):
        walker = chain.Walker((203,), 55)
        walk(walker, sunspec((1, (COMMON + [0] * 9)[:length]), (203, METER)))
        assert walker.start == 40_000 + 2 + 2 + length
        assert walker.length == 105


def test_models_of_one_layout_are_alternatives_and_the_first_one_counts():
    for number in (101, 102, 103):
        walker = chain.Walker((101, 102, 103), 52)
        walk(walker, sunspec((1, COMMON), (number, INVERTER), (103, INVERTER)))
        assert walker.start == 40_069
        assert walker.holds(bytes([0, number]))
    assert not walker.holds(bytes([0, 160]))


def test_a_device_without_the_model_ends_the_walk():
    for blocks in (
        sunspec((1, COMMON), (802, BATTERY)),
        {(3, 40_000): [0x5375, 0x6E53]},  # a chain without an end
        {(3, 40_000): [0x5375, 0x6E54]},
        {},
    ):
        for lacks in (REFUSES, 0, 0xFFFF):
            walker = chain.Walker((103,), 52)
            walk(walker, blocks, lacks)
            assert (walker.start, walker.at) == (0, -1), (blocks, lacks)


def test_a_model_that_is_shorter_than_what_is_read_is_passed_over():
    walker = chain.Walker((103,), 52)
    walk(walker, sunspec((1, COMMON), (103, INVERTER[:40]), (103, INVERTER)))
    assert walker.start == 40_000 + 2 + 67 + 42


def test_the_last_registers_there_are_end_the_walk():
    walker = chain.Walker((103,), 52)
    walk(walker, {(3, 50_000): [0x5375, 0x6E53, 7, 0xFFFF]})
    assert (walker.start, walker.at) == (0, -1)


def test_a_restart_walks_again_from_the_beginning():
    walker = chain.Walker((203,), 55)
    walk(walker, sunspec((203, METER), base=0))
    assert walker.start == 2
    walker.restart()
    assert (walker.start, walker.at) == (0, 40_000)
    walk(walker, sunspec((203, METER), base=50_000))
    assert walker.start == 50_002
