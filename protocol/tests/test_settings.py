"""A site's parameters on the board answer as a dict of all of them would."""

from greenmast_protocol import params
from greenmast_protocol.settings import Settings


def test_what_is_not_given_has_its_default_and_places_are_those_of_the_table():
    settings = Settings({"grid.return_delay_s": 7, "genset.min_run_s": 0})
    expected = params.complete({"grid.return_delay_s": 7, "genset.min_run_s": 0})
    for i in range(len(params.NAMES)):
        assert settings[params.NAMES[i]] == settings[i] == expected[params.NAMES[i]], params.NAMES[i]


def test_an_unknown_name_is_no_parameter():
    settings = Settings({})
    assert settings.get("grid.return_delay", -1) == -1
    assert settings.get("grid.return_delay_s", -1) == params.defaults()["grid.return_delay_s"]
    for name in ("grid.return_delay", "", "\n"):
        try:
            settings[name]
            raise AssertionError(name)
        except KeyError:
            pass


def test_the_limits_of_every_parameter_fit():
    for name, _, low, high in params.PARAMS:
        for value in (low, high):
            assert Settings({name: value})[name] == value
