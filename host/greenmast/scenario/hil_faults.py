"""Faults of a plant, its devices and its lines, as a scenario names them, carried out on a running world.

Owns which part of the world a target is. Must not know when a fault happens, or what it does: contactors and
genset are the plant's, `BusServer.fault` and `Wire.fault` do the rest.
"""

from __future__ import annotations

from greenmast.emulator.world import World
from greenmast.hil.real import RealWorld
from greenmast.scenario import faults
from greenmast.site import Device
from greenmast_fw.devices import binding

# A late answer comes so much later than the board waits: soon enough to meet its next request.
_LATE = 1.2


class HilFaults:
    """`active`: kinds by target."""

    def __init__(self, world: World | RealWorld) -> None:
        self.active: dict[str, set[str]] = {}
        self._world = world
        self._causes: dict[tuple[str, str], set[str]] = {}  # of a line's fault
        for device in world.site.devices:
            waits_ms = binding.load(device.profile).TIMEOUT_MS
            world.emulated.buses[device.bus].devices[device.address].late_s = _LATE * waits_ms / 1_000

    def set(self, on: str, kind: str, so: bool) -> None:
        """Begin or end a fault; in the world's own loop."""
        kinds = self.active.setdefault(on, set())
        (kinds.add if so else kinds.discard)(kind)
        target, _, name = on.partition(".")
        if kind == "flash_full":
            assert isinstance(self._world, World)
            self._world.board.refuse_writes(so)
        elif target == faults.BUS:
            for bus in [name] if name else self._world.wires:
                self._line(bus, kind, on, so)
        elif kind in faults.CONTACTOR:
            setattr(self._world.plant.contactors[on], kind, so)
        elif kind in faults.GENSET:
            setattr(self._world.plant.genset, kind, so)
        else:
            for device in self._devices(target, name):
                # Without being asked, so that nobody on the line is heard; over TCP, in place of its replies.
                if kind == "babble" and device.bus in self._world.wires:
                    self._line(device.bus, kind, on, so)
                else:
                    self._world.emulated.buses[device.bus].fault(device.address, kind, so)

    def _devices(self, role: str, number: str) -> list[Device]:
        of_role = [device for device in self._world.site.devices if device.role == role]
        return of_role[int(number) - 1 : int(number)] if number else of_role

    def _line(self, bus: str, kind: str, cause: str, so: bool) -> None:
        causes = self._causes.setdefault((bus, kind), set())
        was = bool(causes)
        (causes.add if so else causes.discard)(cause)
        if bool(causes) == was:
            return
        if so:
            self._world.wires[bus].fault(kind)
        else:
            self._world.wires[bus].clear(kind)
