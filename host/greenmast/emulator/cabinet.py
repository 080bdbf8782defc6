"""The cabinet's wiring: which coil hangs on which of the board's pins, and which contact closes which input.

Owns the translation between the levels at pins, or the coils and inputs of a relay module, and the plant.
Knows the site file and the board's table; decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from greenmast import wiring
from greenmast.plant import Plant
from greenmast.site import Site
from greenmast_protocol import config

_MAINS_PERMILLE = 700  # a mains-fail relay drops out below that part of the nominal voltage


class Module(Protocol):
    """The part of an emulated relay module that is wired."""

    coils: dict[int, bool]
    discrete: dict[int, bool]


def mains_least_mv(site: Site) -> float:
    """The voltage at which the mains-fail relay of `site` still says that there is mains."""
    return float(site.plant.get("grid", {}).get("nominal_mv", 230_000)) * _MAINS_PERMILLE / 1_000


class Cabinet:
    """The wiring of `site` around `plant`; `modules`: its emulated relay modules.

    `coils`: name of the output at a pin; `contacts`: what closes the contact at a pin, an output or an input.
    """

    def __init__(self, site: Site, plant: Plant, modules: Sequence[Module]) -> None:
        self._plant = plant
        self._modules = modules
        self._table = wiring.board(site.board)
        self.coils = {output.pin: output.name for output in site.outputs if output.pin is not None}
        self._driven: dict[int, bool] = {}  # relays of the module, as they were seen
        self.contacts = {o.feedback: o.name for o in site.outputs if o.feedback is not None}
        self.contacts.update({row.pin: row.name for row in site.inputs})
        # Pin -> whether its contact is closed.
        self._contacts: dict[int, Callable[[], bool]] = {}
        for output in site.outputs:
            if output.feedback is not None:
                self._contacts[output.feedback] = lambda name=output.name: plant.feedback(name)  # type: ignore[misc]
        least_mv = mains_least_mv(site)
        tells: Mapping[str, Callable[[], bool]] = {
            "door_open": lambda: plant.truth("site.door_open") > 0,
            "smoke": lambda: plant.truth("site.smoke") > 0,
            "mains_fail": lambda: plant.truth("grid.voltage_mv") < least_mv,
        }
        for row in site.inputs:
            told, closed = tells[row.name], row.active == "closed"
            self._contacts[row.pin] = lambda told=told, closed=closed: told() == closed  # type: ignore[misc]

    def drive(self, pin: int, level: int) -> None:
        """The board has moved an output pin."""
        name = self.coils.get(pin)
        if name is None:
            return
        is_terminal = pin in [terminal for _, terminal in self._table.TERMINALS_OUT]
        self._plant.coil(name, level == (self._table.RELAY_ACTIVE if is_terminal else 1))

    def levels(self) -> dict[int, int]:
        """Level at each of the board's input pins that is wired."""
        inverted = self._table.INPUTS_INVERTED
        return {
            pin: int(closed() != inverted) for pin, closed in self._contacts.items() if pin < config.MODULE
        }

    def refresh(self) -> None:
        """Let the relays of the module act, and show it the contacts."""
        for module in self._modules:
            for channel, energised in module.coils.items():
                name = self.coils.get(config.MODULE + channel)
                if name is not None and self._driven.get(channel) != energised:
                    self._driven[channel] = energised
                    self._plant.coil(name, energised)
            for channel in module.discrete:
                contact = self._contacts.get(config.MODULE + channel)
                if contact is not None:
                    module.discrete[channel] = contact()
