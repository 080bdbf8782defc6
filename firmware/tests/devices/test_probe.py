"""Recognising products: each by its own image and no other, in whatever way an image refuses."""

from product_images import CERTAIN, EVERY, IMAGES, REFUSES, answer, converse, words

from greenmast_fw.devices import binding, probe, profile

MAKER = {"manufacturer": "Maker", "model": "Model X", "serial": "SN77", "firmware": "1.2.3"}
FLOATS = (
    (0x42F6E979, 123),
    (0xC2F6E979, -123),
    (0x3F7FFFFF, 0),
    (0, 0),
    (0x4B000001, 8_388_609),
)


def test_there_is_an_image_of_every_product():
    assert sorted(IMAGES) == sorted(binding.PROFILES)


def test_each_product_is_recognised_by_its_own_registers():
    for name in binding.PROFILES:
        assert converse(probe.recognise(binding.load(name)), name) is True, name


def test_no_product_is_taken_for_another():
    for name in binding.PROFILES:
        for other in binding.PROFILES:
            for lacks in (IMAGES[other][0],) if other in CERTAIN else EVERY:
                if name != other:
                    found = converse(probe.recognise(binding.load(name)), other, lacks)
                    assert found is False, (name, "is seen in", other, lacks)


def test_a_slave_that_knows_nothing_is_nobody():
    IMAGES["nobody"] = (REFUSES, {})
    try:
        for name in binding.PROFILES:
            for lacks in EVERY:
                assert converse(probe.recognise(binding.load(name)), "nobody", lacks) is False, (name, lacks)
    finally:
        del IMAGES["nobody"]


def test_a_product_says_who_it_is():
    said = [
        ("comap-il4", {"model": "InteliLite4-AMF20", "firmware": "1.9.0"}),
        ("dse-7320", {"model": "32840", "serial": "123456"}),
        ("eastron-sdm120", {"serial": "123456", "firmware": "277"}),
        ("eastron-sdm230", {}),
        ("jk-pb", {"model": "JK_PB2A16S20P", "hardware": "14A", "firmware": "14.20"}),
        ("meanwell-drs", {"manufacturer": "MEANWELL", "model": "DRS-480-48"}),
        (
            "meanwell-cmu2c",
            {"manufacturer": "MEANWELL", "model": "DRP-3200-48", "serial": "180101000001"},
        ),
        ("pace-bms", {"model": "BMS-16S", "serial": "PACK0001", "firmware": "P16S100A-V1.3"}),
        ("daly-bms", {}),
        ("sunspec-meter", MAKER),
        ("sunspec-battery", MAKER),
    ]
    for name, expected in said:
        assert converse(probe.identify(binding.load(name)), name) == expected, name


def test_all_reads_of_a_product_are_answered_by_its_image():
    for name in ("eastron-sdm630", "jk-pb", "pace-bms", "sunspec-inverter", "victron-shunt", "meanwell-drs"):
        p = binding.load(name)
        got = converse(probe.readings(p), name)
        for number in range(len(p.READS)):
            if (name, number) != ("meanwell-drs", 1):  # the image lacks its faults
                assert len(got[number][1]) == 2 * p.READS[number][2], (name, number)
    assert converse(probe.readings(binding.load("sunspec-meter")), "sunspec-inverter") == {}


def test_the_chain_of_models_is_told_in_order():
    chain = converse(probe.chain(), "sunspec-inverter")
    assert chain == [(1, 40_002, 65), (103, 40_069, 50), (160, 40_121, 48)]
    assert converse(probe.chain(), "sunspec-meter") == [(1, 2, 65), (203, 69, 105)]
    assert converse(probe.chain(), "pzem-017") == []


def test_checks_hold_within_their_limits_and_only_with_enough_data():
    checks = ((1, profile.S16, -2, 3),)
    for value in (-3, -2, 3, 4):
        data = bytes([0, 0, (value & 0xFFFF) >> 8, value & 0xFF])
        assert probe.matches(checks, data) is (-2 <= value <= 3)
    assert not probe.matches(checks, bytes(3))
    assert probe.matches((), b"")
    wide = ((0, profile.U32_LW, 0x00010002, 0x00010002),)
    assert probe.matches(wide, bytes([0, 2, 0, 1]))
    assert not probe.matches(wide, bytes([0, 1, 0, 2]))


def test_floats_are_compared_truncated_and_what_is_no_number_is_nothing():
    for bits, value in FLOATS:
        data = bits.to_bytes(4, "big")
        assert probe.raw_value(profile.F32, data) == value
        assert probe.matches(((0, profile.F32, value, value),), data)
    for bits in (0x7F800000, 0x7FC00000):
        assert not probe.matches(((0, profile.F32, -(1 << 130), 1 << 130),), bits.to_bytes(4, "big"))


def test_text_ends_at_its_padding():
    assert probe.text(b"DRS-480-48  ") == "DRS-480-48"
    assert probe.text(b"A\0\0B") == "A"
    assert probe.text(b"\xff\x01x") == "??x"
    assert probe.identity_value(profile.TEXT16, bytes(4)) == ""
    assert probe.identity_value(profile.S16, b"\xff\xff") == "-1"


def test_an_image_answers_as_its_product_does():
    assert answer("comap-il4", (3, 1307, 1)) == 2
    assert answer("comap-il4", (3, 1307, 16))[:4] == b"Inte"
    assert answer("dse-7320", (3, 0x0999, 1)) == b"\xff\xff"
    assert words("AB", 2) == [0x4142, 0]
