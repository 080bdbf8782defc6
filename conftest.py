"""Same examples in every run, so that a red build is red again; `--hypothesis-profile explore` looks for
new ones.
"""

from __future__ import annotations

import gc
import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("same")


# Compiling takes minutes, the runs here seconds; `make native` holds the compiled form against the plain one.
os.environ.setdefault("GREENMAST_NATIVE", "never")


def pytest_collection_finish() -> None:
    """The firmware collects garbage by hand and often: it need not look at thousands of tests each time."""
    gc.collect()
    gc.freeze()
