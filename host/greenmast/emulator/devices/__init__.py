"""Emulated Modbus devices: one module per product, its register map showing the truth of the plant.

Everything here is derived from vendors' documents and public drivers, and from them only: the
controller's own register tables must not be read, so that master and slave cannot share a misreading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greenmast.emulator.devices.comap_il4 import ComapIl4
from greenmast.emulator.devices.daly_bms import DalyBms
from greenmast.emulator.devices.datakom_d500 import DatakomD500
from greenmast.emulator.devices.daviteq_cap10 import DaviteqCap10
from greenmast.emulator.devices.device import Device, Plant
from greenmast.emulator.devices.dse_7320 import Dse7320
from greenmast.emulator.devices.eastron_sdm120 import EastronSdm120
from greenmast.emulator.devices.eastron_sdm230 import EastronSdm230
from greenmast.emulator.devices.eastron_sdm630 import EastronSdm630
from greenmast.emulator.devices.epever_tracer_an import EpeverTracerAn
from greenmast.emulator.devices.jk_pb import JkPb
from greenmast.emulator.devices.meanwell_cmu2c import MeanwellCmu2c
from greenmast.emulator.devices.meanwell_drs import MeanwellDrs
from greenmast.emulator.devices.pace_bms import PaceBms
from greenmast.emulator.devices.pzem_017 import Pzem017
from greenmast.emulator.devices.seplos_v3 import SeplosV3
from greenmast.emulator.devices.sunspec_battery import SunSpecBattery
from greenmast.emulator.devices.sunspec_inverter import SunSpecInverter
from greenmast.emulator.devices.sunspec_meter import SunSpecMeter
from greenmast.emulator.devices.victron_gx import VictronMppt, VictronShunt
from greenmast.emulator.devices.waveshare_relay_8ch import WaveshareRelay8ch

__all__ = ["PROFILES", "Device", "Plant", "create"]

Sections = Mapping[str, Any]


def _battery(site: Sections) -> tuple[int, float]:
    battery = site.get("battery", {})
    return int(battery.get("cells", 15)), float(battery.get("capacity_ah", 300))


def _rating_w(site: Sections) -> float:
    return float(site.get("genset", {}).get("rating_w", 12_000))


_BUILDERS: dict[str, Callable[[Sections], Device]] = {
    "comap-il4": lambda site: ComapIl4(_rating_w(site)),
    "daly-bms": lambda site: DalyBms(_battery(site)[0]),
    "datakom-d500": lambda site: DatakomD500(),
    "daviteq-cap10": lambda site: DaviteqCap10(),
    "dse-7320": lambda site: Dse7320(_rating_w(site)),
    "eastron-sdm120": lambda site: EastronSdm120(),
    "eastron-sdm230": lambda site: EastronSdm230(),
    "eastron-sdm630": lambda site: EastronSdm630(),
    "epever-tracer-an": lambda site: EpeverTracerAn(),
    "jk-pb": lambda site: JkPb(*_battery(site)),
    "meanwell-cmu2c": lambda site: MeanwellCmu2c(),
    "meanwell-drs": lambda site: MeanwellDrs(),
    "pace-bms": lambda site: PaceBms(*_battery(site)),
    "pzem-017": lambda site: Pzem017(),
    "seplos-v3": lambda site: SeplosV3(*_battery(site)),
    "sunspec-battery": lambda site: SunSpecBattery(*_battery(site)),
    "sunspec-inverter": lambda site: SunSpecInverter(),
    "sunspec-meter": lambda site: SunSpecMeter(),
    "victron-mppt": lambda site: VictronMppt(),
    "victron-shunt": lambda site: VictronShunt(_battery(site)[1]),
    "waveshare-relay-8ch": lambda site: WaveshareRelay8ch(),
}
PROFILES = tuple(sorted(_BUILDERS))


def create(profile: str, site: Sections) -> Device:
    """The emulated product `profile` for a site, `site` being the sections of its file.

    Raises KeyError for a profile that is not in `PROFILES`, ValueError for a site the product cannot serve.
    """
    return _BUILDERS[profile](site)
