"""The operator's side: boards' messages into a store, the store onto screens."""

from __future__ import annotations

from greenmast.hub.app import Hub, run

__all__ = ["Hub", "run"]
