"""The sheet that is signed: a record as one HTML file that needs nothing else and prints on A4.

Owns the page. Decides nothing.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from greenmast.commission import picture
from greenmast.commission.result import FAILED, LOOK, NOT_DONE, PASSED, Record, Result
from greenmast.errors import UserError

_STYLE = """
:root { color-scheme: light }
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2733; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p.sub { margin: .2rem 0 1.2rem; color: #55636f }
table { border-collapse: collapse; width: 100%; table-layout: fixed; overflow-wrap: anywhere }
td.name { width: 27% } td.remedy { width: 25% } th { text-align: left; font-weight: 600 }
td, th { padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #d5dbe1; vertical-align: top }
table.about th { width: 11rem; color: #55636f; font-weight: 400 }
td.verdict { width: 6.5rem; white-space: nowrap; font-weight: 600 }
tr.passed td.verdict { color: #0b6e4f } tr.failed td.verdict { color: #b3261e }
tr.look td.verdict { color: #8a5a00 } tr.not-done td.verdict { color: #55636f }
tr.failed td { background: #fdf1f0 } td.remedy, span.expected { color: #55636f }
.sum { font-size: 1.05rem; font-weight: 600; padding: .7rem 1rem; border-radius: .4rem; background: #eaf4f0 }
.sum.failed { background: #fbe4e2 } .sum.look { background: #fdf3dd }
svg { width: 100%; height: auto }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 2.2rem 2rem; margin-top: 2.5rem }
.sign div { border-top: 1px solid #1c2733; padding-top: .3rem; color: #55636f; font-size: .85rem }
.remarks { border: 1px solid #d5dbe1; height: 6rem; margin-top: 1rem; padding: .4rem .6rem;
  color: #55636f; font-size: .85rem }
footer { margin-top: 2rem; color: #55636f; font-size: .8rem }
@media print { body { margin: 0; max-width: none; font-size: 12px }
  h2, tr, svg, .sign { break-inside: avoid } }
"""
_MARKS = {PASSED: "✓ passed", FAILED: "✗ failed", LOOK: "? look", NOT_DONE: "– not done"}


def write(record: Record, path: Path) -> None:
    """Raises UserError when the file cannot be written."""
    try:
        path.write_text(page(record), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def page(record: Record) -> str:
    """The whole document."""
    about = record.about
    title = f"Commissioning of {about.get('name') or about.get('site', 'a site')}"
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f'<p class="sub">Greenmast commissioning report, {escape(str(about.get("begun", "")))}</p>',
        _sum(record),
        _about(record),
        *(_section(name, results) for name, results in record.sections.items()),
        *(
            f"<h2>{escape(trace.title)}</h2>{drawing}"
            for trace in record.traces
            if (drawing := picture.svg(trace))
        ),
        _signatures(record),
    ]
    return "\n".join(parts)


def _sum(record: Record) -> str:
    failed, look, undone = (record.count(verdict) for verdict in (FAILED, LOOK, NOT_DONE))
    told = f"{record.count(PASSED)} passed, {failed} failed, {look} to be looked at, {undone} not done"
    kind = "failed" if failed else "look" if look or undone else "passed"
    words = {
        "failed": "Not fit for service",
        "look": "Fit for service as far as tested; a person must judge the rest",
        "passed": "Fit for service",
    }
    return f'<p class="sum {kind}">{words[kind]}: {told}.</p>'


def _about(record: Record) -> str:
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in record.about.items()
    )
    return f'<table class="about">{rows}</table>'


def _section(title: str, results: list[Result]) -> str:
    rows = "".join(
        f'<tr class="{result.verdict.replace(" ", "-")}"><td class="verdict">{_MARKS[result.verdict]}</td>'
        f'<td class="name">{escape(result.name)}</td><td>'
        f"{escape(result.saw)}{_expected(result)}</td>"
        f'<td class="remedy">{escape(result.remedy)}</td></tr>'
        for result in results
    )
    return f"<h2>{escape(title)}</h2><table>{rows}</table>"


def _expected(result: Result) -> str:
    if not result.expected:
        return ""
    return f'<br><span class="expected">expected: {escape(result.expected)}</span>'


def _signatures(record: Record) -> str:
    who = escape(str(record.about.get("technician", "")))
    return (
        '<h2>Acceptance</h2><div class="remarks">Remarks</div><div class="sign">'
        f"<div>Technician: {who}</div><div>For the operator (name)</div>"
        "<div>Signature, date</div><div>Signature, date</div></div>"
        f"<footer>Record {record.fingerprint()}: sixteen digits of the SHA-256 of the record file's content, "
        "so that a signed sheet and its file belong together.</footer>"
    )
