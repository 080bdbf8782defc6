"""What no controller may cause, whatever the scenario: held against the plant's truth at every scan.

- I1: never both AC contactors closed; an AC contactor is closed only when the other has been proven open for
  the dead time.
- I2: an AC contactor is not closed onto a source that has been dead for longer than it may take to notice.
- I7: the critical load is not dark while the grid has been good for a time in which every recovery is over.

Not blamed on the controller: what the idle state of the hardware does during a reset; a source that its own
broken meter shows alive; the site's default state with no device answering; darkness that a command or a
fault on the way from the grid to the load explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from greenmast.plant.plant import Plant
from greenmast.site import Site
from greenmast_fw.core.site import GENSET, GRID
from greenmast_protocol import points, reasons

LIVE_MV = 50_000.0
_AFTER_BOOT_MS = 3_000
_LYING = frozenset({"frozen", "spike", "word_swap"})
_ON_THE_WAY = frozenset({"grid", "rectifier", "battery", "load", "load1", "controller", "bus"})
_DARKENING = ("load.shed", "source.select", "mode.set", "battery.test")
_DEFAULT_STATES = (reasons.code("default_state"), reasons.code("holding"))
_REASON_AC = points.index("reason.ac")
_AC = ((GRID, "grid"), (GENSET, "genset"))
_RECOVERY_MS = 2_400_000  # flapping lengthens the return delay to half an hour; and a margin


class Invariants:
    """`params`: those in force. `fail(what, saw)` is called once per kind of violation."""

    def __init__(
        self, site: Site, plant: Plant, params: Mapping[str, int], fail: Callable[[str, str], None]
    ) -> None:
        self._plant = plant
        self._params = params
        self._fail_with = fail
        self._said: set[str] = set()
        self._feedback = [
            points.index(f"feedback.{name}")
            if any(o.name == name and o.feedback is not None for o in site.outputs)
            else -1
            for _, name in _AC
        ]
        self._two_sources = {"grid", "genset"} <= {output.name for output in site.outputs}
        self._rating_w = float(site.plant.get("rectifier", {}).get("rating_w", 6_000))
        self._dead_ms = [0, 0]  # how long each AC source has been dead
        tolerated_ms = 6 * params["scan.period_ms"] + 2_000
        self._tolerated_ms = (tolerated_ms + 1_000 * params["grid.loss_delay_s"], tolerated_ms)
        seconds = params["grid.return_delay_s"] + params["lvd.reconnect_s"] + 3 * params["lvd.stagger_s"]
        self._recovery_ms = _RECOVERY_MS + 1_000 * seconds
        self._dark_ms = self._excused_until_ms = 0
        self._parallel_s = self._unpowered_s = 0.0
        self.booted(0, b"")

    def booted(self, time_ms: int, outputs: bytes) -> None:
        """The board starts at `time_ms` with `outputs` at idle."""
        self._booted_ms = time_ms
        self._open_ms = [-1, -1]  # since each AC contactor has been read as open
        self._was = outputs

    def command(self, time_ms: int, name: str, args: Mapping[str, object]) -> None:
        """A command has been accepted that may darken a load."""
        for_s = args.get("for_s", 0)
        if name in _DARKENING and isinstance(for_s, int):
            self._excused_until_ms = max(self._excused_until_ms, time_ms + 1_000 * for_s)

    def truth(self, time_ms: int, dt_ms: int, faults: Mapping[str, set[str]], alive: bool) -> None:
        """The plant after another `dt_ms`; `alive`: the board had the outputs in hand."""
        plant = self._plant
        parallel_s = plant.both_ac_closed_s
        if parallel_s > self._parallel_s:
            self._parallel_s = parallel_s
            if self._two_sources and alive and time_ms > self._booted_ms + _AFTER_BOOT_MS:
                self._fail("I1 never two AC sources together", f"both closed for {parallel_s:.2f} s so far")
        dead_ms = self._dead_ms
        dead_ms[0] = 0 if plant.grid.live else dead_ms[0] + dt_ms
        dead_ms[1] = 0 if plant.genset.voltage_mv >= LIVE_MV else dead_ms[1] + dt_ms
        unpowered_s = plant.unpowered_s
        dark = unpowered_s > self._unpowered_s
        self._unpowered_s = unpowered_s
        if not dark or not self._grid_good() or not self._unexcused(time_ms, faults):
            self._dark_ms = 0
            return
        self._dark_ms += dt_ms
        if self._dark_ms > self._recovery_ms:
            what = "I7 the critical load is re-powered when a source is there"
            self._fail(what, f"dark for {self._dark_ms // 1_000} s with a good grid")

    def decided(
        self,
        dt_ms: int,
        v: tuple[int | None, ...],
        outputs: bytearray,
        told: list[int | None],
        faults: Mapping[str, set[str]],
    ) -> None:
        """The controller has seen `v` and decided `outputs`, telling `told`."""
        for n, at in enumerate(self._feedback):
            if at >= 0:
                so_far = self._open_ms[n]
                self._open_ms[n] = -1 if v[at] != 0 else 0 if so_far < 0 else so_far + dt_ms
        was = self._was
        if outputs == was:
            return
        for n, (i, name) in enumerate(_AC):
            if outputs[i] and not was[i]:
                self._closed(n, name, told[_REASON_AC], faults)
        self._was = bytes(outputs)

    def _closed(self, n: int, name: str, reason: int | None, faults: Mapping[str, set[str]]) -> None:
        other = _AC[1 - n][1]
        open_ms = self._open_ms[1 - n]
        dead_time_ms = self._params["source.dead_time_ms"]
        if self._feedback[1 - n] >= 0 and open_ms < dead_time_ms:
            proof = f"for {open_ms} ms" if open_ms >= 0 else "not at all"
            self._fail(
                "I1 dead time from proven open",
                f"{name} closed with {other} proven open {proof} of {dead_time_ms} ms",
            )
        dead_ms = self._dead_ms[n]
        lied_to = not _LYING.isdisjoint(faults.get(name, ()))
        if dead_ms > self._tolerated_ms[n] and not lied_to and reason not in _DEFAULT_STATES:
            self._fail(
                "I2 never close onto a dead source", f"{name} closed, dead for {dead_ms / 1_000:.1f} s"
            )

    def _grid_good(self) -> bool:
        """Well inside the limits, so that a meter's resolution cannot make the difference."""
        params, grid = self._params, self._plant.grid
        chz = self._plant.truth("grid.frequency_chz")
        return (
            params["grid.voltage_min_mv"] * 1.01 < grid.voltage_mv < params["grid.voltage_max_mv"] * 0.99
            and params["grid.frequency_min_chz"] + 10 < chz < params["grid.frequency_max_chz"] - 10
        )

    def _unexcused(self, time_ms: int, faults: Mapping[str, set[str]]) -> bool:
        return (
            time_ms >= self._excused_until_ms
            and not any(kinds and on.split(".")[0] in _ON_THE_WAY for on, kinds in faults.items())
            and self._plant.loads.demand_w < 0.9 * self._rating_w
        )

    def _fail(self, what: str, saw: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._fail_with(f"invariant {what}", saw)
