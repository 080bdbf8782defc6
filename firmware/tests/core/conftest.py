"""Lets the plain test modules of this folder import the rig beside them, as the MicroPython runner does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
