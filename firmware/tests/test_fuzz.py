"""A short slice of the fuzzing: `make fuzz` does it at length."""

from __future__ import annotations

import random

import pytest
from firmware.tests import fuzz

DECODERS = fuzz.decoders()


@pytest.mark.parametrize("name", DECODERS)
def test_no_input_makes_a_decoder_break_its_word(name: str) -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    result = fuzz.fuzz(name, DECODERS[name], 0.7, seed)
    assert result["failures"] == []
    assert result["executions"] > 20


@pytest.mark.parametrize("name", DECODERS)
def test_every_good_input_is_taken_and_reaches_code(name: str) -> None:
    steps = fuzz.Steps()
    assert all(steps.run(DECODERS[name].decode, seed) for seed in DECODERS[name].seeds[:1])


def test_a_broken_word_is_found() -> None:
    def fails(data: bytes) -> None:
        assert b"##" not in data

    result = fuzz.fuzz("x", fuzz.Decoder(fails, (b"a#b",)), 5, 1)
    assert result["failures"]
