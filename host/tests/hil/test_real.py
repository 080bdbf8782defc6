"""What a bench with a real board says before anything is opened."""

from __future__ import annotations

import pytest

from greenmast import site as sites
from greenmast.errors import USAGE, UserError
from greenmast.hil.limits import LACKS, hinders
from greenmast.hil.real import RealWorld
from greenmast.scenario import faults


def test_a_bus_without_a_port_is_named() -> None:
    with pytest.raises(UserError, match=r"2 serial buses \(meters, power\): give one --bus for each") as said:
        RealWorld(sites.load("india-rural"), "/dev/ttyNOPE", ["/dev/ttyNOPE1"], sun=False)
    assert said.value.exit_code == USAGE


@pytest.mark.parametrize("on", faults.TARGETS)
def test_every_fault_of_the_table_is_possible_on_a_real_board_or_has_its_reason(on: str) -> None:
    for kind in faults.kinds(on):
        why = hinders(on, kind)
        assert why in ("", *LACKS.values())
        of_device = on != faults.BUS and kind in faults.DEVICE
        assert (why == "") == (of_device or kind in faults.GENSET or kind == "reset"), kind
