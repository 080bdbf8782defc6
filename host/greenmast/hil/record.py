"""What happened on a bench, for people who look at a failure: plant, pins, buses, what the board told.

Owns what is noted, how much of it is kept, and the files that it is written to. Knows no pytest and no board.
Times are seconds of the plant since the story began; what came before it is negative.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from greenmast.hil import plot
from greenmast.plant import Plant
from greenmast.site import Site

_SAMPLES_MAX = 4_000  # then every other one is dropped
_NOTES_MAX = 50_000
_FIRST_PERIOD_S = 0.25


@dataclass
class Span:
    """`text` was so from `from_s` to `to_s`; None: until the end."""

    text: str
    from_s: float
    to_s: float | None = None


@dataclass
class Recorder:
    """Notes about one run. `zero_s`: the plant's time at which the story began."""

    site: Site
    plant: Plant
    zero_s: float = 0.0
    times: list[float] = field(default_factory=list)
    samples: list[dict[str, float]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    _pins: deque[tuple[float, str, str, int, int]] = field(default_factory=lambda: deque(maxlen=_NOTES_MAX))
    _told: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=_NOTES_MAX))
    lines: dict[str, list[dict[str, object]]] = field(default_factory=dict)  # of each bus, as `Wire.trace`
    _values: dict[str, int | None] = field(default_factory=dict)
    _buses: dict[str, deque[tuple[float, int, bytes, bytes | None]]] = field(default_factory=dict)
    _period_s: float = _FIRST_PERIOD_S
    _due_s: float = float("-inf")

    @property
    def time_s(self) -> float:
        """Of the plant, on its own clock."""
        return self.plant.time_s

    def sample(self) -> None:
        """Note the plant's truths, when it is time to."""
        now_s = self.plant.time_s
        if now_s < self._due_s:
            return
        row = self.plant.truths()
        for name, contactor in self.plant.contactors.items():
            row[f"contactor.{name}"] = float(contactor.closed)
        row["relay.genset_start"] = float(self.plant.genset.relay)
        self.times.append(now_s)
        self.samples.append(row)
        if len(self.times) > _SAMPLES_MAX:
            del self.times[1::2], self.samples[1::2]
            self._period_s *= 2
        self._due_s = now_s + self._period_s

    def pin(self, way: str, name: str, pin: int, level: int) -> None:
        """Note a change at a pin; `way` is "output" or "input"."""
        self._pins.append((self.plant.time_s, way, name, pin, level))

    def told(self, values: Mapping[str, int | None]) -> None:
        """Note what the board has told, where it differs from what it told before."""
        now_s = self.plant.time_s
        for name, value in values.items():
            if name not in self._values or self._values[name] != value:
                self._values[name] = value
                self._told.append((now_s, name, "" if value is None else str(value)))

    def exchange(self, bus: str, unit: int, request: bytes, reply: bytes | None) -> None:
        """Note a request on a bus and its reply: function code and data, no address and no checksum."""
        exchanges = self._buses.setdefault(bus, deque(maxlen=_NOTES_MAX))
        exchanges.append((self.plant.time_s, unit, request, reply))

    def begin(self, text: str, *, at_s: float | None = None) -> Span:
        """Note that `text` is so from now on; end it by setting `to_s`, in the plant's time."""
        span = Span(text, self.plant.time_s if at_s is None else at_s)
        self.spans.append(span)
        return span

    def mark(self, text: str, *, at_s: float | None = None) -> None:
        """Note that something happened."""
        self.marks.append((self.plant.time_s if at_s is None else at_s, text))

    def save(
        self,
        folder: Path,
        title: str,
        about: Sequence[str],
        *,
        failed_s: Iterable[float] = (),
        copies: Iterable[Path] = (),
    ) -> Path:
        """Write everything into `folder`, which is made anew. Returns it.

        `about`: lines for a person; `failed_s`: when something was not as it should be, since the story
        began; `copies`: files that belong to it.
        """
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        zero_s = self.zero_s
        self._table(folder / "plant.csv", self._plant_rows())
        if self._pins:
            rows = [(f"{at - zero_s:.2f}", way, name, pin, level) for at, way, name, pin, level in self._pins]
            self._table(folder / "pins.csv", [("time_s", "way", "name", "pin", "level"), *rows])
        if self._told:
            told = [(f"{at - zero_s:.2f}", name, value) for at, name, value in self._told]
            self._table(folder / "told.csv", [("time_s", "point", "value"), *told])
        for bus, exchanges in self._buses.items():
            lines = ["# seconds, unit, request, reply (function code and data in hex; - for none)"]
            for at, unit, request, reply in exchanges:
                answer = "-" if reply is None else reply.hex()
                lines.append(f"{at - zero_s:.2f} {unit} {request.hex()} {answer}")
            (folder / f"bus-{bus}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for bus, transmissions in self.lines.items():
            text = "".join(json.dumps(each) + "\n" for each in transmissions)
            (folder / f"line-{bus}.jsonl").write_text(text, encoding="utf-8")
        config = json.dumps(self.site.board_config(), indent=1, ensure_ascii=False)
        (folder / "configuration.json").write_text(config + "\n", encoding="utf-8")
        for file in copies:
            if file.is_file():
                shutil.copy(file, folder / file.name)
        picture = plot.svg(
            title,
            [at - zero_s for at in self.times],
            self.samples,
            [(s.text, s.from_s - zero_s, None if s.to_s is None else s.to_s - zero_s) for s in self.spans],
            [(at - zero_s, text) for at, text in self.marks],
            list(failed_s),
        )
        (folder / "plot.svg").write_text(picture, encoding="utf-8")
        marks = [f"  {at - zero_s:8.2f} s  {text}" for at, text in self.marks]
        text = "\n".join([title, "", *about, "", "What was done:", *(marks or ["  nothing"]), "", *_CONTENTS])
        (folder / "README.txt").write_text(text + "\n", encoding="utf-8")
        return folder

    def _plant_rows(self) -> Iterable[Sequence[object]]:
        names = sorted(self.samples[0]) if self.samples else []
        yield ["time_s", *names]
        for at, row in zip(self.times, self.samples, strict=True):
            yield [f"{at - self.zero_s:.2f}", *(f"{row[name]:.10g}" for name in names)]

    @staticmethod
    def _table(path: Path, rows: Iterable[Sequence[object]]) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


_CONTENTS = (
    "Files, as far as this level has them (times: seconds since the story began):",
    "  plot.svg            the story at a glance: open it in a browser",
    "  plant.csv           truths of the plant and positions of its contactors",
    "  told.csv            what the board told, at every change",
    "  pins.csv            levels of the board's pins, at every change",
    "  bus-NAME.txt        requests and replies on each bus",
    "  line-NAME.jsonl     the last transmissions on each wire, byte by byte, sent and heard; its own clock",
    "  console.log         what the board printed, messages included",
    "  configuration.json  what the board ran with",
)
