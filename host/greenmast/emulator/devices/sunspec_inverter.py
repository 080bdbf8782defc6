"""SunSpec PV inverter: common model, 101/102/103, multiple MPPT (160), end.

Source: sunspec/models JSON; behaviour as in traces of SolarEdge and Kostal inverters (evcc issues 12708,
15726). The array is the plant's: DC values are those of the array, W and WH what the converter gives off.
The plant has no AC side for it: current follows from the power at nominal voltage. The strings share the
array evenly.
"""

from __future__ import annotations

from greenmast.emulator.devices.device import Plant
from greenmast.emulator.devices.sunspec import BASE, Model, SunSpecDevice, layout

INVERTER = layout("""
    u16 A*A AphA*A AphB*A AphC*A sf A
    u16 PPVphAB*V PPVphBC*V PPVphCA*V PhVphA*V PhVphB*V PhVphC*V sf V
    s16 W*W sf W  u16 Hz*Hz sf Hz  s16 VA*VA sf VA  s16 VAr*VAr sf VAr  s16 PF*PF sf PF
    acc32 WH*WH sf WH  u16 DCA*DCA sf DCA  u16 DCV*DCV sf DCV  s16 DCW*DCW sf DCW
    s16 TmpCab*Tmp TmpSnk*Tmp TmpTrns*Tmp TmpOt*Tmp sf Tmp
    enum St StVnd  bits32 Evt1 Evt2 EvtVnd1 EvtVnd2 EvtVnd3 EvtVnd4
""")
MPPT_HEAD = "sf DCA DCV DCW DCWH  bits32 Evt  u16 N TmsPer"
MPPT_MODULE = """
    u16 ID{0}  str8 IDStr{0}  u16 DCA{0}*DCA DCV{0}*DCV DCW{0}*DCW
    acc32 DCWH{0}*DCWH  u32 Tms{0}  s16 Tmp{0}  enum DCSt{0}  bits32 DCEvt{0}
"""
INVERTER_SCALES = {
    "A": -2, "V": -1, "W": 0, "Hz": -2, "VA": 0, "VAr": 0, "PF": -1, "WH": 0,
    "DCA": -2, "DCV": -1, "DCW": 0, "Tmp": -1,
}  # fmt: skip
MPPT_SCALES = {"DCA": -2, "DCV": -1, "DCW": 0, "DCWH": 0}

SLEEPING, MPPT, STANDBY = 2, 4, 8
NIGHT_BELOW_V = 20.0
NOMINAL_V, NOMINAL_HZ = 230.0, 50.0
PHASES = "ABC"


class SunSpecInverter(SunSpecDevice):
    profile = "sunspec-inverter"
    role = "solar"

    def __init__(
        self, base: int = BASE, common_length: int = 66, *, phases: int = 3, strings: int = 2
    ) -> None:
        super().__init__("PV inverter", "GM-INV-0001", base, common_length)
        self._phases = phases
        self._strings = strings
        self._inverter = self.add(100 + phases, INVERTER, **INVERTER_SCALES)
        modules = "".join(MPPT_MODULE.format(number) for number in range(1, strings + 1))
        self._mppt: Model = self.add(160, layout(MPPT_HEAD + modules), **MPPT_SCALES)
        self._inverter.show(Evt1=0, Evt2=0, Hz=NOMINAL_HZ)
        self._mppt.show(Evt=0, N=strings)
        for number in range(1, strings + 1):
            self._mppt.show(**{f"ID{number}": number})
            self._mppt.show(**{f"IDStr{number}": f"String {number}"})

    def refresh(self, plant: Plant) -> None:
        array_v = plant.truth("solar.voltage_mv") / 1e3
        array_a = plant.truth("solar.current_ma") / 1e3
        watts = plant.truth("solar.power_w")
        energy_wh = plant.truth("solar.energy_wh")
        state = SLEEPING if array_v < NIGHT_BELOW_V else MPPT if watts > 0.0 else STANDBY
        phase_a = watts / NOMINAL_V / self._phases
        self._inverter.show(
            A=phase_a * self._phases,
            W=watts,
            VA=watts,
            VAr=0,
            PF=100,
            WH=energy_wh,
            DCA=array_a,
            DCV=array_v,
            DCW=array_v * array_a,
            TmpCab=plant.truth("site.temperature_dc") / 10.0,
            St=state,
        )
        for phase in PHASES[: self._phases]:
            self._inverter.show(**{f"Aph{phase}": phase_a, f"PhVph{phase}": NOMINAL_V})
        share = 1.0 / self._strings
        for number in range(1, self._strings + 1):
            self._mppt.show(
                **{
                    f"DCA{number}": array_a * share,
                    f"DCV{number}": array_v,
                    f"DCW{number}": array_v * array_a * share,
                    f"DCWH{number}": energy_wh * share,
                    f"DCSt{number}": state,
                }
            )
