"""What a boot begins with: a whole setup, or every reason why there is none."""

from greenmast_fw.services import setup


class Flash:
    """Stands for the module `files`."""

    def __init__(self, document, problems=()):
        self._document = document
        self._problems = list(problems)

    def count_boot(self):
        return 7

    def configuration(self):
        return self._document, self._problems

    def record(self):
        return {}


def read(document, problems=()):
    before = setup.files
    setup.files = Flash(document, problems)
    try:
        return setup.read()
    finally:
        setup.files = before


def document(board="virtual", profile="pzem-017"):
    return {
        "schema": 1,
        "revision": 1,
        "site": {"id": "here", "name": "Here", "board": board},
        "buses": [{"name": "meters", "baud": 9600, "parity": "N"}],
        "devices": [
            {"role": "load", "profile": profile, "bus": "meters", "address": 3},
            {"role": "battery", "profile": "daly-bms", "bus": "meters", "address": 210},
        ],
        "outputs": {},
        "inputs": {},
        "battery": {"chemistry": "lfp", "capacity_ah": 300, "cells": 15},
        "params": {"scan.period_ms": 500},
        "mqtt": {},
    }


def test_a_good_configuration_gives_board_parameters_and_devices_in_its_order():
    boot, (config, board, params, devices, _, kept, trial_s), problems = read(document())
    assert (boot, problems) == (7, [])
    assert config["site"]["id"] == "here"
    assert board.NAME == "virtual"
    assert params["scan.period_ms"] == 500
    assert params["telemetry.period_s"] > 0
    assert [device[0] for device in devices] == [3, 210]
    assert (kept, trial_s) == ({}, 0)


def test_what_the_rules_refuse_gives_their_reasons_and_no_setup():
    bad = document()
    bad["battery"]["cells"] = 0
    boot, parts, problems = read(bad)
    assert (boot, parts) == (7, None)
    assert [place for place, _ in problems] == ["battery.cells"]


def test_more_lines_than_the_board_has_are_a_reason_and_networks_are_none():
    many = document()
    many["buses"] += [{"name": "n%d" % i, "tcp": "10.0.0.%d:502" % i} for i in range(4)]
    assert read(many)[2] == []
    many["buses"] += [{"name": "l%d" % i, "baud": 9600, "parity": "N"} for i in range(3)]
    boot, parts, problems = read(many)
    assert (boot, parts) == (7, None)
    assert problems == [("bus", "4 lines, and the board has 3")]


def test_what_cannot_be_read_gives_the_reason_and_no_setup():
    assert read(None, [("config", "nothing is stored")]) == (7, None, [("config", "nothing is stored")])


def test_an_unknown_board_or_profile_is_a_reason_not_an_end():
    for bad in (document(board="no-such"), document(profile="no-such")):
        boot, parts, problems = read(bad)
        assert (boot, parts) == (7, None)
        assert "no-such" in problems[0][1]
