"""SunSpec battery: common model, battery base (802), storage capacity (713), end.

Source: sunspec/models JSON, draft 4 of the SunSpec energy storage models, and how evcc reads Kostal's 802
(power of a discharging battery positive). So current and power are positive when the battery discharges;
ChaSt says the direction in words. The plant has no BMS switch to turn: a command to connect is accepted,
every other is refused.
"""

from __future__ import annotations

from greenmast.emulator.devices.device import Plant
from greenmast.emulator.devices.sunspec import BASE, SunSpecDevice, layout

BATTERY = layout("""
    u16 AHRtg*AHRtg WHRtg*WHRtg WChaRteMax*WChaDisChaMax WDisChaRteMax*WChaDisChaMax DisChaRte*DisChaRte
        SoCMax*SoC SoCMin*SoC SocRsvMax*SoC SoCRsvMin*SoC SoC*SoC DoD*DoD SoH*SoH
    u32 NCyc  enum ChaSt LocRemCtl  u16 Hb CtrlHb AlmRst  enum Typ State StateVnd
    u32 WarrDt  bits32 Evt1 Evt2 EvtVnd1 EvtVnd2
    u16 V*V VMax*V VMin*V CellVMax*CellV CellVMaxStr CellVMaxMod CellVMin*CellV CellVMinStr CellVMinMod
        CellVAvg*CellV
    s16 A*A  u16 AChaMax*AMax ADisChaMax*AMax  s16 W*W  enum ReqInvState  s16 ReqW*W  enum SetOp SetInvState
    sf AHRtg WHRtg WChaDisChaMax DisChaRte SoC DoD SoH V CellV A AMax W
""")
CAPACITY = layout("u16 WHRtg*WH WHAvail*WH SoC*Pct SoH*Pct  enum Sta  sf WH Pct")
SCALES = {
    "AHRtg": 0, "WHRtg": 1, "WChaDisChaMax": 0, "SoC": -1, "DoD": -1, "SoH": -1, "V": -2, "CellV": -3,
    "A": -1, "AMax": -1, "W": 0,
}  # fmt: skip
CELL_NOMINAL_V, CELL_MAX_V, CELL_MIN_V = 3.2, 3.6, 2.9
MAX_C_RATE = 0.5
LITHIUM_ION, CONNECTED, REMOTE = 4, 3, 0
DISCHARGING, CHARGING, FULL, HOLDING = 3, 4, 5, 6
RESTING_BELOW_A = 0.05
FULL_PERMILLE = 995.0
CONNECT = 1


class SunSpecBattery(SunSpecDevice):
    profile = "sunspec-battery"
    role = "battery"

    def __init__(self, cells: int, capacity_ah: float, base: int = BASE, common_length: int = 66) -> None:
        super().__init__("Battery", "GM-BAT-0001", base, common_length)
        self._capacity_ah = capacity_ah
        self._rated_wh = capacity_ah * cells * CELL_NOMINAL_V
        self._discharged_ah = self._time_s = 0.0
        self._battery = self.add(802, BATTERY, **SCALES)
        self._store = self.add(713, CAPACITY, WH=1, Pct=-1)
        rate_a = MAX_C_RATE * capacity_ah
        self._battery.show(
            AHRtg=capacity_ah,
            WHRtg=self._rated_wh,
            WChaRteMax=rate_a * cells * CELL_NOMINAL_V,
            WDisChaRteMax=rate_a * cells * CELL_NOMINAL_V,
            SoCMax=100,
            SoCMin=0,
            SocRsvMax=100,
            SoCRsvMin=0,
            LocRemCtl=REMOTE,
            CtrlHb=0,
            AlmRst=0,
            Typ=LITHIUM_ION,
            State=CONNECTED,
            Evt1=0,
            Evt2=0,
            EvtVnd1=0,
            EvtVnd2=0,
            VMax=cells * CELL_MAX_V,
            VMin=cells * CELL_MIN_V,
            AChaMax=rate_a,
            ADisChaMax=rate_a,
            ReqInvState=0,
            SetOp=CONNECT,
            SetInvState=3,
        )
        for name, values in (
            ("SocRsvMax", None),
            ("SoCRsvMin", None),
            ("CtrlHb", None),
            ("AlmRst", (0, 1)),
            ("SetOp", (CONNECT,)),
            ("SetInvState", (1, 2, 3)),
        ):
            self.allow(self._battery, name, values)

    def refresh(self, plant: Plant) -> None:
        volts = plant.truth("battery.voltage_mv") / 1e3
        charge_a = plant.truth("battery.current_ma") / 1e3
        soc = plant.truth("battery.soc_permille")
        soh = plant.truth("battery.soh_permille") / 10.0
        low_mv, high_mv = plant.truth("battery.cell_min_mv"), plant.truth("battery.cell_max_mv")
        self._discharged_ah += max(-charge_a, 0.0) * (plant.time_s - self._time_s) / 3600.0
        self._time_s = plant.time_s
        self._battery.show(
            SoC=soc / 10.0,
            DoD=100.0 - soc / 10.0,
            SoH=soh,
            NCyc=int(self._discharged_ah / self._capacity_ah),
            ChaSt=_charge_state(charge_a, soc),
            Hb=int(plant.time_s) % 0x8000,
            AlmRst=0,  # a reset is complete at once
            V=volts,
            CellVMax=high_mv / 1e3,
            CellVMin=low_mv / 1e3,
            CellVAvg=(low_mv + high_mv) / 2e3,
            A=-charge_a,
            W=-charge_a * volts,
        )
        self._store.show(
            WHRtg=self._rated_wh,
            WHAvail=self._rated_wh * soc / 1e3 * soh / 100.0,
            SoC=soc / 10.0,
            SoH=soh,
            Sta=0,
        )


def _charge_state(charge_a: float, soc_permille: float) -> int:
    if abs(charge_a) < RESTING_BELOW_A:
        return FULL if soc_permille >= FULL_PERMILLE else HOLDING
    return CHARGING if charge_a > 0.0 else DISCHARGING
