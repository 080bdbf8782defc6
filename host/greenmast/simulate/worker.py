"""A process that runs cases. Imports nothing but the finder of compiled modules until that is in place."""

from __future__ import annotations

import sys
from typing import Any

from greenmast.simulate import native


def work(document: dict[str, Any]) -> str:
    """The result of the case of this document, as text."""
    native.use(lambda line: print(f"greenmast: {line}", file=sys.stderr))
    from greenmast.simulate import result, year
    from greenmast.simulate.case import from_document

    return result.dumps(year.run(from_document(document)))
