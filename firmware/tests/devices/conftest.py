"""Lets the plain test modules of this folder import the fakes beside them, as the MicroPython runner does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
