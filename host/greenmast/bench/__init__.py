"""The project's ratios, measured side by side in one run: `greenmast bench [NAME..]`.

A bench is a module with `run() -> dict` (numbers for `--json`) and `text(result) -> str` (the same for
people).
"""

from __future__ import annotations

import importlib
import json

from greenmast.errors import DONE, USAGE, UserError
from greenmast.site import near

NAMES = ("bus", "core", "heap", "mqtt")


def run(names: list[str], *, json_output: bool = False) -> int:
    """Run the benches `names`, or all. Raises UserError for an unknown one."""
    for name in names:
        if name not in NAMES:
            raise UserError(f"unknown bench: {name}{near(name, NAMES)}", USAGE)
    results = {}
    for name in names or NAMES:
        module = importlib.import_module(f"greenmast.bench.{name}")
        results[name] = module.run()
        if not json_output:
            print(f"{name}\n{module.text(results[name])}\n", flush=True)
    if json_output:
        print(json.dumps(results))
    return DONE
