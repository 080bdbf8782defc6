"""Every event that the core can tell has words on the host."""

from greenmast_fw.core import decision
from greenmast_protocol import alarms, event_text, points, reasons


def test_kinds_are_the_cores_in_its_order():
    for number in range(len(event_text.KINDS)):
        assert getattr(decision, event_text.KINDS[number].upper()) == number


def test_events_read_as_sentences():
    genset = points.OUTPUTS.index("genset")
    grid_lost, starting = reasons.code("grid_lost"), reasons.code("cranking")
    for event, text in (
        ((decision.OUTPUT, genset, 1, 0, 0, 0), "output.genset closed"),
        (
            (decision.GRID, 0, 0, grid_lost, 170_000, 195_500),
            "grid lost: grid lost: 170.00 V against 195.50 V",
        ),
        ((decision.GENSET, 0, 2, starting, 1, 0), "genset crank: cranking, try 1 of 0"),
        ((decision.SOURCE, 0, 1, 0, 0, 0), "AC source: grid"),
        ((decision.ALARM, alarms.index("fuel_low"), 1, 0, 0, 0), "alarm fuel_low active"),
        ((decision.CONTACTOR, genset, 1, 0, 0, 0), "contactor genset welded"),
        ((decision.POLICY, 1, 400, 0, 0, 0), "battery kept from 40.0 % on"),
        ((decision.BLIND, 0, 0, 0, 0, 0), "data again"),
        ((99, 1, 2, 0, 0, 0), "event 99 1 = 2"),
    ):
        assert event_text.text(event) == text


def test_no_event_of_any_kind_is_without_words():
    for kind in range(len(event_text.KINDS) + 1):
        for subject in (0, 1, 200):
            for new in (0, 1, 3, 200):
                for reason in (0, 5, 999):
                    assert len(event_text.text((kind, subject, new, reason, 7, 8))) > 5
