"""A configuration is accepted or refused as a whole, with every reason and its place."""

from greenmast_protocol import config


def good():
    return {
        "schema": config.SCHEMA,
        "revision": 1,
        "site": {"id": "patna-7", "name": "Patna 7", "board": "virtual"},
        "buses": [{"name": "meters", "baud": 9600, "parity": "N"}],
        "devices": [
            {"role": "grid", "profile": "eastron-sdm230", "bus": "meters", "address": 1},
            {"role": "battery", "profile": "daly-bms", "bus": "meters", "address": 210},
        ],
        "outputs": {
            "grid": {"pin": 1, "feedback": 4, "idle": "closed"},
            "genset": {"pin": 2, "feedback": 5, "idle": "open"},
            "alarm_major": {"pin": 3, "feedback": None, "idle": "open"},
        },
        "inputs": {"mains_fail": {"pin": 6, "active": "closed"}},
        "battery": {"chemistry": "lfp", "capacity_ah": 300, "cells": 15},
        "params": {"grid.return_delay_s": 120},
        "mqtt": {"host": "broker", "port": 1883},
    }


def places(document):
    return [place for place, _ in config.problems(document)]


def changed(path, value):
    document = good()
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return document


def test_a_good_document_has_no_problems():
    assert config.problems(good()) == []


def test_what_is_no_document_is_refused():
    for nothing in (None, [], "config", 5):
        assert places(nothing) == ["config"]


def test_an_unknown_or_newer_schema_is_refused():
    for schema in (0, config.SCHEMA + 1, None, "1"):
        assert places(changed(["schema"], schema)) == ["schema"]


def test_missing_and_unknown_sections_are_named():
    document = good()
    del document["outputs"]
    document["extra"] = {}
    assert sorted(places(document)) == ["extra", "outputs"]


def test_two_devices_on_one_address_are_refused():
    assert places(changed(["devices", 1, "address"], 1)) == ["device.battery"]


def test_a_device_on_no_bus_or_beyond_the_addresses_is_refused():
    assert places(changed(["devices", 0, "bus"], "nowhere")) == ["device.grid"]
    for address in (0, 248, -1, True, "1", None):
        assert places(changed(["devices", 0, "address"], address)) == ["device.grid"]


def test_a_bus_is_a_line_or_an_address_on_the_network():
    network = {"name": "meters", "baud": None, "parity": None, "tcp": "192.168.1.50:502"}
    assert places(changed(["buses", 0], network)) == []
    assert config.endpoint(network["tcp"]) == ("192.168.1.50", 502)
    wrong = [("baud", 9600), ("parity", "N")]
    for tcp in ("", "192.168.1.50", ":502", "a b:502", "host:0", "host:65536", "host:x", 502, True):
        wrong.append(("tcp", tcp))
    for key, value in wrong:
        bus = network.copy()
        bus[key] = value
        assert places(changed(["buses", 0], bus)) == ["bus 1"], value
    assert places(changed(["buses", 0, "baud"], None)) == ["bus 1"]


def test_one_pin_for_two_purposes_is_refused():
    assert places(changed(["outputs", "genset", "pin"], 1)) == ["output.genset"]
    assert places(changed(["outputs", "genset", "feedback"], 1)) == ["output.genset"]


def test_both_ac_contactors_closed_when_idle_are_refused():
    assert places(changed(["outputs", "genset", "idle"], "closed")) == ["output.genset"]


def test_an_output_without_contacts_has_no_feedback():
    assert places(changed(["outputs", "alarm_major", "feedback"], 9)) == ["output.alarm_major"]


def test_parameters_out_of_range_or_of_the_wrong_type_are_refused():
    for name, value in (
        ("source.dead_time_ms", 0),
        ("grid.return_delay_s", 10**9),
        ("grid.return_delay_s", True),
        ("grid.return_delay_s", "60"),
        ("no.such_s", 1),
    ):
        document = good()
        document["params"] = {name: value}
        assert places(document) == [name], name


def test_thresholds_that_cross_are_refused():
    for values, place in (
        ({"genset.soc_start_permille": 800}, "genset.soc_stop_permille"),
        ({"genset.fuel_stop_permille": 200}, "genset.fuel_resume_permille"),
        ({"lvd.tier1_mv": 47_000}, "lvd.tier2_mv"),
        ({"lvd.reconnect_mv": 47_900}, "lvd.reconnect_mv"),
    ):
        document = good()
        document["params"] = values
        assert places(document) == [place], values


def test_loads_that_go_before_the_genset_starts_are_refused_unless_stated_or_without_a_genset():
    for values, place in (
        ({"lvd.tier3_permille": 310, "lvd.reconnect_permille": 600}, "genset.soc_start_permille"),
        ({"lvd.tier3_mv": 48_500, "lvd.reconnect_mv": 50_000}, "genset.bus_start_mv"),
    ):
        document = good()
        document["params"] = values
        assert place in places(document), values
        document["params"] = dict(values)
        document["params"]["lvd.before_genset"] = 1
        assert places(document) == [], values
        document["params"] = values
        del document["outputs"]["genset"]
        assert places(document) == [], values


def test_every_reason_is_listed_at_once():
    document = good()
    document["site"]["id"] = "Patna 7"
    document["battery"]["cells"] = 0
    document["buses"][0]["baud"] = 9601
    document["params"] = {"lvd.tier1_mv": 47_000}
    document["mqtt"] = {"host": "broker"}
    assert sorted(places(document)) == ["battery.cells", "bus 1", "lvd.tier2_mv", "mqtt", "site.id"]


def test_a_board_without_a_broker_is_allowed():
    assert config.problems(changed(["mqtt"], {})) == []


# RULES: what must be refused. (name, value) pairs that break one rule each, and the parameter that is blamed.
CROSSED = (
    ({"lvd.reconnect_mv": 47_900}, "lvd.reconnect_mv"),
    ({"genset.soc_start_permille": 800, "genset.soc_stop_permille": 800}, "genset.soc_stop_permille"),
    ({"genset.soc_quiet_start_permille": 700}, "genset.soc_quiet_stop_permille"),
    ({"genset.bus_start_mv": 51_000}, "genset.bus_stop_mv"),
    ({"genset.load_start_w": 3_000, "genset.load_stop_w": 3_000}, "genset.load_start_w"),
    ({"genset.hot_start_dc": 300, "genset.hot_stop_dc": 350}, "genset.hot_start_dc"),
    ({"genset.to_lvd_start_s": 7_200, "genset.to_lvd_stop_s": 3_600}, "genset.to_lvd_stop_s"),
    ({"genset.fuel_stop_permille": 200}, "genset.fuel_resume_permille"),
    ({"source.dead_time_ms": 0}, "source.dead_time_ms"),
    ({"lvd.tier2_mv": 47_600}, "lvd.tier3_mv"),
    ({"lvd.tier1_mv": 43_000}, "lvd.tier1_mv"),
    ({"lvd.tier1_permille": 200, "lvd.tier2_permille": 100}, "lvd.tier2_permille"),
    ({"battery.float_mv": 51_500}, "battery.charge_mv"),
    ({"lvd.tier3_mv": 48_200}, "genset.bus_start_mv"),
    ({"cooling.stop_dc": 350}, "cooling.start_dc"),
    ({"grid.voltage_min_mv": 299_000}, "grid.voltage_max_mv"),
    ({"battery.safe_mv": 80_001}, "battery.safe_mv"),
)


def test_each_rule_of_the_settings_is_refused_by_itself():
    for params, blamed in CROSSED:
        assert blamed in places(changed(["params"], params)), (params, blamed)


def test_all_the_rules_that_are_broken_are_listed_together():
    document = good()
    for params, _ in CROSSED:
        document["params"].update(params)
    document["devices"][1]["address"] = 1
    document["outputs"]["genset"]["pin"] = 1
    document["site"]["id"] = "no such/id"
    listed = places(document)
    assert {"device.battery", "output.genset", "site.id", "source.dead_time_ms"} <= set(listed)
    assert len(listed) >= 12


def test_loads_may_go_before_the_genset_starts_only_where_that_is_stated():
    crossing = {"lvd.tier3_mv": 48_200}
    assert places(changed(["params"], crossing)) == ["genset.bus_start_mv", "genset.bus_quiet_start_mv"]
    crossing["lvd.before_genset"] = 1
    assert places(changed(["params"], crossing)) == []


def test_a_rule_that_is_switched_off_crosses_nothing():
    off = {"genset.load_start_w": 0, "genset.load_stop_w": 0, "lvd.tier1_permille": 0}
    assert places(changed(["params"], off)) == []


def test_several_devices_share_a_role_where_that_has_a_meaning():
    document = good()
    for address in range(20, 22):
        document["devices"].append(
            {"role": "grid", "profile": "eastron-sdm230", "bus": "meters", "address": address}
        )
    assert places(document) == []
    document["devices"].append({"role": "grid", "profile": "eastron-sdm230", "bus": "meters", "address": 30})
    assert places(document) == ["device.grid"]
    for address in (40, 41):
        document["devices"].append(
            {"role": "genset", "profile": "dse-7320", "bus": "meters", "address": address}
        )
    assert places(document) == ["device.grid", "device.genset"]


def test_a_grid_meter_may_measure_three_phases_and_then_there_is_room_for_no_other():
    document = good()
    (meter,) = [device for device in document["devices"] if device["role"] == "grid"]
    for phases in (1, 3):
        meter["phases"] = phases
        assert places(document) == []
    document["devices"].append({"role": "grid", "profile": "eastron-sdm230", "bus": "meters", "address": 30})
    assert places(document) == ["device.grid"]
    del document["devices"][-1]
    for phases in (0, 2, 4, "3", None):
        meter["phases"] = phases
        assert places(document) == ["device.grid"], phases
    meter["phases"] = 1
    document["devices"][1]["phases"] = 3  # a battery has none
    assert places(document) == ["device.battery"]


def test_time_and_zone_are_checked():
    for key, value, place in (
        ("time_server", 5, "site.time_server"),
        ("time_server", "", "site.time_server"),
        ("zone", [], "site.zone"),
        ("zone", [60, 100], "site.zone"),
        ("zone", [60, 200, 120, 100, 60], "site.zone"),
        ("zone", [2000], "site.zone"),
        ("zone", [True], "site.zone"),
        ("zone", "UTC", "site.zone"),
    ):
        assert places(changed(["site", key], value)) == [place], value
    document = changed(["site", "zone"], [60, 100, 120, 200, 60])
    document["site"]["time_server"] = "10.0.0.1:123"
    assert places(document) == []


def test_a_network_needs_what_its_kind_needs_and_nothing_else():
    for network, count in (
        ({"kind": "wifi", "ssid": "mast", "key": "secret"}, 0),
        ({"kind": "ppp", "apn": "m2m"}, 0),
        ({"kind": "ethernet"}, 0),
        ({"kind": "ethernet", "phy": 1}, 0),
        ({"kind": "ethernet", "phy": "1"}, 1),
        ({"kind": "ppp", "apn": "m2m", "phy": 1}, 1),
        ({"kind": "wifi", "ssid": "mast"}, 1),
        ({"kind": "wifi"}, 2),
        ({"kind": "ethernet", "apn": "m2m"}, 1),
        ({"kind": "lora"}, 1),
        ({}, 1),
        ("wifi", 1),
    ):
        assert places(changed(["network"], network)) == ["network"] * count, network


def test_tls_is_true_or_false_and_keep_alive_a_number():
    for more in ({"tls": "yes"}, {"tls": 2}, {"keepalive_s": 0}, {"keepalive_s": True}):
        mqtt = {"host": "broker", "port": 8883}
        mqtt.update(more)
        assert places(changed(["mqtt"], mqtt)) == ["mqtt"], more
