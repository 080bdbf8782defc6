"""Physics of a telecom site: sources, battery, loads, contactors and weather, in simulated time.

`Plant(PlantConfig.from_site(site), seed=1, start=...)`, then `step(dt_s)`. Seeded; no I/O, clock or asyncio.
"""

from __future__ import annotations

from greenmast.plant.config import PlantConfig
from greenmast.plant.plant import Plant
from greenmast.plant.weather import Weather

__all__ = ["Plant", "PlantConfig", "Weather"]
