"""The frame of the pages of `greenmast simulate`: style, figures, writing. No script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from greenmast.errors import UserError

_STYLE = """
:root { color-scheme: light }
* { -webkit-print-color-adjust: exact; print-color-adjust: exact }
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2733; background: #fff; max-width: 66rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere } h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem;
  border-top: 1px solid #1c2733; padding-top: .5rem } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
p.sub { margin: .2rem 0 1rem; color: #55636f } p.note { color: #55636f; font-size: .87rem; margin: .3rem 0 }
.sum { font-weight: 600; padding: .5rem .9rem; border-radius: .4rem; background: #eaf4f0 }
.sum.failed { background: #fbe4e2; color: #8c1d18 }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem 1.6rem;
  margin: 1.4rem 0 }
.card .what { color: #55636f } .card .value { font-size: 1.75rem; line-height: 1.2; font-weight: 600;
  font-variant-numeric: tabular-nums; white-space: nowrap } .card small { font-size: .9rem; font-weight: 400 }
.card ul { list-style: none; margin: .2rem 0 0; padding: 0; color: #55636f; font-size: .84rem;
  line-height: 1.4 }
table { border-collapse: collapse } th { text-align: left; font-weight: 600 }
td, th { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #e3e8ec; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
  padding: .3rem 0 .3rem .9rem }
td small, th small { color: #55636f; font-weight: 400 }
.compare tr.limit > * { border-top: 1px solid #1c2733 }
.compare { width: 100% } .compare tr.ours > * { background: #eaf4f0 }
.compare tbody th { padding-left: .4rem }
.compare td.n:last-child, .compare th.n:last-child { padding-right: .4rem } .wide { overflow-x: auto }
.map tr.ours > * { background: #eaf4f0 }
table.why { width: 100% } .why td.n { width: 6rem } td.bar { width: 32%; padding: .45rem 0 .3rem 1rem }
td.bar div { background: #3f78b5; height: .8rem; min-width: 1px }
td.when { white-space: nowrap; color: #55636f; font-variant-numeric: tabular-nums }
tr.notable td { font-weight: 600 } table.about th { color: #55636f; font-weight: 400; width: 13rem }
table.about td { overflow-wrap: anywhere }
figure { margin: .8rem 0 1.2rem } figcaption { font-weight: 600; margin-bottom: .2rem }
svg { width: 100%; height: auto; display: block; margin: .4rem 0 }
footer { margin-top: 2rem; color: #55636f; font-size: .8rem }
@page { margin: 14mm }
@media print { :root { font-size: 11px }
  body { margin: 0; padding: 0; max-width: none; font-size: 1rem }
  .cards { grid-template-columns: repeat(5, 1fr); gap: .6rem } .card .value { font-size: 1.15rem }
  .card ul { font-size: 9.5px } .compare { font-size: 9.5px } .compare :is(td, th).n { padding-left: .3rem }
  .wide { overflow: visible } figure, tr, svg, .cards { break-inside: avoid }
  h2, h3, figcaption { break-after: avoid } }
"""


def document(title: str, sub: str, parts: Iterable[str]) -> str:
    """A whole page. `title` and `sub` are plain text, `parts` HTML."""
    return "\n".join(
        (
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f'<h1>{escape(title)}</h1><p class="sub">{escape(sub)}</p>',
            *(part for part in parts if part),
            "<footer>Made by greenmast simulate.</footer></html>\n",
        )
    )


def figure(caption: str, drawing: str, note: str = "") -> str:
    """A picture with its caption; "" when there is no picture."""
    if not drawing:
        return ""
    said = f'<p class="note">{escape(note.strip())}</p>' if note.strip() else ""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{drawing}{said}</figure>"


def write(text: str, path: Path) -> None:
    """Raises UserError when the file cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
