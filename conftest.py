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


# What is compiled for a test runs for seconds: see `greenmast.simulate.native`.
os.environ.setdefault("GREENMAST_NATIVE_LEVEL", "0")


def pytest_collection_finish() -> None:
    """The firmware collects garbage by hand and often: it need not look at thousands of tests each time."""
    gc.collect()
    gc.freeze()
