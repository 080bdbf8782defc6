"""Register images of products, written by hand from their documents: what each answers to whom.

An image is (what it does with addresses that it lacks, {(function, address): registers from there on}).
"""

import struct

REFUSES = "refuses"  # exception 2
ZEROS = "zeros"
ONES = "ones"
EVERY = (REFUSES, ZEROS, ONES)
# Whose way is documented, or captured: they are not asked what else they might do.
CERTAIN = (
    "comap-il4",
    "dse-7320",
    "eastron-sdm120",
    "eastron-sdm230",
    "eastron-sdm630",
    "epever-tracer-an",
    "pace-bms",
    "victron-mppt",
    "victron-shunt",
)


def words(text, count):
    """`text` in ASCII, padded with NUL to `count` registers."""
    data = text.encode()
    data += bytes(2 * count - len(data))
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def floats(*values):
    """IEEE singles, high word first."""
    out = []
    for value in values:
        out.extend(struct.unpack(">HH", struct.pack(">f", value)))
    return out


def both(content):
    """The same registers by functions 3 and 4."""
    out = {}
    for address in content:
        out[(3, address)] = out[(4, address)] = content[address]
    return out


def sunspec(*models, base=40_000):
    """The chain of `models`: (number, registers behind number and length) each."""
    chain = [0x5375, 0x6E53]
    for number, content in models:
        chain += [number, len(content)] + content
    return {(3, base): chain + [0xFFFF, 0]}


def meter(volts, amps, watts):
    """The first 18 registers of an Eastron meter."""
    return floats(*(volts + amps + watts))


COMMON = (
    words("Maker", 16) + words("Model X", 16) + words("", 8) + words("1.2.3", 8) + words("SN77", 16) + [1]
)

# Model 103 of an inverter at 5 kW: scale factors of -2, 0 and -1, DC values behind.
INVERTER = [0] * 50
INVERTER[22:25] = [0x0012, 0xD687, 0]  # WH 1234567 Wh
INVERTER[25:31] = [1350, 0xFFFE, 3852, 0xFFFF, 5200, 0]  # 13.50 A, 385.2 V, 5200 W
# Model 203: 230.1, 229.8 and 231.0 V; imports by phase.
METER = [0] * 105
METER[0:5] = [300, 100, 90, 110, 0xFFFF]
METER[6:9] = [2301, 2298, 2310]
METER[13:16] = [0xFFFF, 5001, 0xFFFE]
METER[16:21] = [6_900, 2_300, 2_200, 2_400, 0]
METER[44:53] = [0, 600, 0, 100, 0, 200, 0, 300, 1]
# Model 802: 78.5 %, 53.21 V, 12.5 A in, cells 3.345 and 3.301 V.
BATTERY = [0] * 62
BATTERY[9] = 785
BATTERY[11] = 99
BATTERY[32] = 5321
BATTERY[35] = 3345
BATTERY[38] = 3301
BATTERY[42:45] = [0xFF83, 100, 150]
BATTERY[54:62] = [0xFFFF, 0, 0, 0xFFFE, 0xFFFD, 0xFFFF, 0, 0]

PACE = [0xFC18, 5321, 78, 99, 7850, 10_000, 10_000, 123, 0, 0, 0, 0x0D00, 0, 0, 0]
PACE += [3345, 3301] + [3320] * 14 + [231, 245, 238, 229, 260, 250]

IMAGES = {
    "comap-il4": (
        REFUSES,
        {
            (3, 1307): words("InteliLite4-AMF20", 16),
            (3, 1323): words("1.9.0", 8),
            (3, 1298): [1],
            (3, 1382): [2],
            (3, 1004): [0],
            (3, 1053): [240],
        },
    ),
    "daly-bms": (
        REFUSES,
        {
            (3, 0): [3320] * 16
            + [0] * 16
            + [68, 64]
            + [0] * 6
            # 0x28: 53.2 V, 3.1 A out, 82.3 %, cells, temperatures, discharging, 120 Ah, 16 cells, 2 probes
            + [532, 29_969, 823, 3345, 3301, 68, 64, 2, 1200, 16, 2, 41]
            + [0] * 10
        },
    ),
    "datakom-d500": (
        REFUSES,
        {(3, 10604): [0, 4], (3, 10609): [0xD500], (3, 10611): [58], (3, 11687): words("00AB12", 6)},
    ),
    "daviteq-cap10": (
        REFUSES,
        {(4, 0): [612, 610, 4321, 253, 12, 0], (3, 6): [30, 1, 0]},
    ),
    "dse-7320": (
        ONES,
        {(3, 0x0300): [1, 32_840, 0x0001, 0xE240, 1, 0xFFFF, 0], (3, 0x1000): [0xFFFF, 0x8000, 0xC000]},
    ),
    "eastron-sdm120": (
        REFUSES,
        {
            (4, 0): meter([230.1, 0, 0], [4.3, 0, 0], [989, 0, 0]),
            (4, 0x46): floats(50.01, 1234.5, 0),
            (3, 0x12): floats(0, 1),
            (3, 0xFC00): [0x0001, 0xE240, 0x0020, 0x0115],
        },
    ),
    "eastron-sdm230": (
        REFUSES,
        {
            (4, 0): meter([230.1, 0, 0], [4.3, 0, 0], [989, 0, 0]),
            (4, 0x46): floats(50.01, 1234.5, 0),
            (4, 0x1560): floats(0),
            (3, 0x12): floats(0, 1),
        },
    ),
    "eastron-sdm630": (
        REFUSES,
        {
            (4, 0): meter([230.1, 229.8, 231.0], [4.3, 0, 2.5], [989, 0, 577]),
            (4, 0x46): floats(50.01, 1234.5, 0),
            (4, 0x15A): floats(1000.5, 0, 234.25),
            (3, 0x0A): floats(3),
            (3, 0x12): floats(0, 1),
            (3, 0xFC00): [0x0001, 0xE240],
        },
    ),
    "epever-tracer-an": (
        REFUSES,
        {
            (4, 0x3000): [15_000, 4000, 0x3880, 1, 4800, 4000, 0x3880, 1, 2],
            (4, 0x3100): [9_876, 1_234, 0x4F1A, 1, 5_321, 0, 0, 0],
            (4, 0x311A): [70, 2_500, 0, 4_800],
        },
    ),
    "jk-pb": (
        REFUSES,
        {
            (3, 0x1290): [0, 53_210, 0, 0, 0xFFFF, 0xCF2C, 231, 245, 0, 0, 0, 0x0255] + [0] * 8 + [0x6301],
            (3, 0x1200): [3345, 3301] + [3320] * 13 + [0],
            (3, 0x1400): words("JK_PB2A16S20P", 8),
            (3, 0x1410): words("14A", 4),
            (3, 0x1418): words("14.20", 4),
        },
    ),
    "meanwell-cmu2c": (
        REFUSES,
        {
            (3, 0x0010): [540, 1000],
            (4, 0x0201): [0x157C],
            (3, 0x0200): [0],
            (3, 0x0210): words("MEANWELL", 6) + words("DRP-3200-48", 6),
            (3, 0x0224): words("180101000001", 6),
        },
    ),
    "meanwell-drs": (
        REFUSES,
        {
            (3, 0x0080): words("MEANWELL    ", 6) + words("DRS-480-48  ", 6),
            (3, 0x0020): [5_400],
            (3, 0x0030): [1_000],
            (4, 0x0060): [5_400, 800],
        },
    ),
    "pace-bms": (
        REFUSES,
        {(3, 0): PACE, (3, 150): words("P16S100A-V1.3", 10) + words("BMS-16S", 10) + words("PACK0001", 10)},
    ),
    "pzem-017": (
        REFUSES,
        {(3, 0): [30_000, 700, 3, 0], (4, 0): [5_321, 1_234, 0x4F1A, 0, 0xE240, 1, 0, 0]},
    ),
    "seplos-v3": (
        REFUSES,
        {
            (4, 0x1000): [5321, 0xFC18, 7850, 10_000, 12, 815, 990, 57, 3320, 2981]
            + [3330, 3310, 3021, 2951, 0, 150, 100]
        },
    ),
    "sunspec-battery": (REFUSES, sunspec((1, COMMON), (802, BATTERY), base=50_000)),
    "sunspec-inverter": (REFUSES, sunspec((1, COMMON), (103, INVERTER), (160, [0] * 48))),
    "sunspec-meter": (REFUSES, sunspec((1, COMMON[:65]), (203, METER), base=0)),
    "victron-mppt": (
        REFUSES,
        {(3, 771): [5_321, 123, 0, 1, 3, 9_876, 0], (3, 789): [6_543, 12_345]},
    ),
    "victron-shunt": (
        REFUSES,
        {(3, 259): [5_321, 0, 0xFF83, 231, 0, 0, 100, 785], (3, 303): [120, 0]},
    ),
    "waveshare-relay-8ch": (
        REFUSES,
        {(1, 0): [0b00000101], (2, 0): [0b10000010], (3, 0x4000): [1], (3, 0x8000): [200]},
    ),
}


def answer(name, request, lacks=None):
    """What the product replies: data bytes, or the number of its exception.

    `lacks`: what it does with addresses that it lacks, instead of its own way.
    """
    own, blocks = IMAGES[name]
    lacks = lacks or own
    function, address, count = request
    if function <= 2:
        block = blocks.get((function, address))
        if block is not None and count <= 8:
            return bytes(block)
        return 2 if lacks == REFUSES else bytes([0 if lacks == ZEROS else 0xFF] * ((count + 7) // 8))
    whole = name == "comap-il4"  # an object is read as a whole or not at all
    data = b""
    for place in range(address, address + count):
        word = None
        for of, start in blocks:
            block = blocks[(of, start)]
            if of == function and start <= place < start + len(block):
                word = block[place - start]
                if whole and len(block) > 1 and (address > start or address + count < start + len(block)):
                    return 2
        if word is None:
            if lacks == REFUSES:
                return 2
            word = 0 if lacks == ZEROS else 0xFFFF
        data += bytes([word >> 8, word & 0xFF])
    return data


def converse(generator, name, lacks=None):
    """Let a generator of `probe` talk to the product; gives what it returns."""
    try:
        request = next(generator)
        while True:
            request = generator.send(answer(name, request, lacks))
    except StopIteration as end:
        return end.value
