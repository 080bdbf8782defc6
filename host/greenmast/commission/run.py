"""The command `commission`: a visit from the first question to the signed sheet.

Owns the order of sections, the record file and the exit code. What was done is kept after every section, so a
visit that was broken off goes on with `--resume`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from greenmast.commission import devices, engine, report, switching
from greenmast.commission.result import FAILED, Record, Result, Trace
from greenmast.commission.visit import Consent, Visit
from greenmast.errors import BAD_INPUT_FILE, DONE, REFUSED, UserError
from greenmast.link.base import Link

Found = tuple[Iterable[Result], Iterable[Trace]]


def run(
    link: Link,
    *,
    ask: Callable[[str], bool],
    technician: str = "",
    report_file: Path | None = None,
    resume: bool = False,
    everywhere: bool = False,
    critical: bool = False,
    wait_for_stop: bool = True,
    json_output: bool = False,
) -> int:
    """Commission the board behind `link`; returns the exit code: 1 when a check has failed.

    `ask(question)` says whether a person consents. Raises UserError.
    """
    visit = Visit(link, Consent(ask))
    site = str(visit.hello.get("site", "site"))
    page = report_file or Path(f"commission-{site}.html")
    file = page.with_suffix(".json")
    record = _record(visit, file, technician, resume)
    sections: dict[str, Callable[[], Found]] = {
        "Devices": lambda: (devices.check(visit, everywhere), ()),
        "Readings and signs": lambda: switching.signs(visit),
        "Contactors": lambda: (switching.tiers(visit, critical), ()),
        "Genset": lambda: engine.run(visit, wait_for_stop),
    }
    for title, look in sections.items():
        if title in record.sections:
            visit.say(f"{title}: done before")
            continue
        visit.say(title)
        results, traces = look()
        record.put(title, results, traces)
        record.save(file)
        for result in record.sections[title]:
            visit.say(_line(result))
    report.write(record, page)
    if json_output:
        print(json.dumps({**record.document(), "report": str(page), "record": str(file)}, ensure_ascii=False))
    else:
        print(f"{page}: {', '.join(f'{n} {verdict}' for verdict, n in record.document()['counts'].items())}")
    return REFUSED if record.count(FAILED) else DONE


def _record(visit: Visit, file: Path, technician: str, resume: bool) -> Record:
    """The visit's record: a new one, or the one that was broken off. Raises UserError."""
    hello = visit.hello
    about = {
        "site": hello.get("site", ""),
        "name": hello.get("name", ""),
        "board": hello.get("board", ""),
        "firmware": hello.get("firmware", ""),
        "configuration": f"revision {hello.get('revision', '?')}",
    }
    if resume:
        record = Record.load(file)
        other = [key for key in about if record.about.get(key) != about[key]]
        if other:
            raise UserError(
                f"{file} is about another board or configuration ({', '.join(other)} differ): "
                "begin anew without --resume",
                BAD_INPUT_FILE,
            )
        return record
    begun = datetime.now().astimezone().isoformat(" ", "minutes")
    return Record({**about, "technician": technician, "begun": begun})


def _line(result: Result) -> str:
    told = f": {result.saw}" if result.saw else ""
    remedy = f" ({result.remedy})" if result.remedy else ""
    return f"  {result.verdict:<8} {result.name}{told}{remedy}"


def asking(consent: bool) -> Callable[[str], bool]:
    """How to ask: always yes, or a person at the terminal; with nobody there the answer is no."""
    if consent:
        return lambda question: True

    def ask(question: str) -> bool:
        if not sys.stdin.isatty():
            return False
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask
