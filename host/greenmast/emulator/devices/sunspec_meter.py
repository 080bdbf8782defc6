"""SunSpec AC meter: common model, 201/202/203, end. Stands for the grid meter, upstream of K_GRID.

Source: sunspec/models JSON; traces of SolarEdge and Kostal meters (evcc issues 15445, 18358). Power is
positive when it is imported (quadrants I and IV), energy of both directions is counted apart. The plant's
grid is one voltage and one current: of several phases each carries its part.
"""

from __future__ import annotations

from math import sqrt

from greenmast.emulator.devices.device import Plant
from greenmast.emulator.devices.sunspec import BASE, SunSpecDevice, layout

METER = layout("""
    s16 A*A AphA*A AphB*A AphC*A sf A
    s16 PhV*V PhVphA*V PhVphB*V PhVphC*V PPV*V PhVphAB*V PhVphBC*V PhVphCA*V sf V
    s16 Hz*Hz sf Hz  s16 W*W WphA*W WphB*W WphC*W sf W  s16 VA*VA VAphA*VA VAphB*VA VAphC*VA sf VA
    s16 VAR*VAR VARphA*VAR VARphB*VAR VARphC*VAR sf VAR  s16 PF*PF PFphA*PF PFphB*PF PFphC*PF sf PF
    acc32 TotWhExp*TotWh TotWhExpPhA*TotWh TotWhExpPhB*TotWh TotWhExpPhC*TotWh
          TotWhImp*TotWh TotWhImpPhA*TotWh TotWhImpPhB*TotWh TotWhImpPhC*TotWh sf TotWh
    acc32 TotVAhExp*TotVAh TotVAhExpPhA*TotVAh TotVAhExpPhB*TotVAh TotVAhExpPhC*TotVAh
          TotVAhImp*TotVAh TotVAhImpPhA*TotVAh TotVAhImpPhB*TotVAh TotVAhImpPhC*TotVAh sf TotVAh
    acc32 TotVArhImpQ1*TotVArh TotVArhImpQ1PhA*TotVArh TotVArhImpQ1PhB*TotVArh TotVArhImpQ1PhC*TotVArh
          TotVArhImpQ2*TotVArh TotVArhImpQ2PhA*TotVArh TotVArhImpQ2PhB*TotVArh TotVArhImpQ2PhC*TotVArh
          TotVArhExpQ3*TotVArh TotVArhExpQ3PhA*TotVArh TotVArhExpQ3PhB*TotVArh TotVArhExpQ3PhC*TotVArh
          TotVArhExpQ4*TotVArh TotVArhExpQ4PhA*TotVArh TotVArhExpQ4PhB*TotVArh TotVArhExpQ4PhC*TotVArh
    sf TotVArh  bits32 Evt
""")
SCALES = {"A": -2, "V": -1, "Hz": -2, "W": 0, "VA": 0, "VAR": 0, "PF": -1, "TotWh": 0}
POWER_FAILURE, UNDER_VOLTAGE = 1 << 2, 1 << 3
DEAD_BELOW_V, LOW_BELOW_V = 20.0, 184.0
PHASES = "ABC"


class SunSpecMeter(SunSpecDevice):
    profile = "sunspec-meter"
    role = "grid"

    def __init__(self, base: int = BASE, common_length: int = 66, *, phases: int = 3) -> None:
        super().__init__("AC meter", "GM-MET-0001", base, common_length)
        self._phases = phases
        self._meter = self.add(200 + phases, METER, **SCALES)
        self._meter.show(TotWhExp=0)

    def refresh(self, plant: Plant) -> None:
        volts = plant.truth("grid.voltage_mv") / 1e3
        amperes = plant.truth("grid.current_ma") / 1e3
        watts = plant.truth("grid.power_w")
        import_wh = plant.truth("grid.energy_wh")
        apparent = max(volts * amperes, abs(watts))
        reactive = sqrt(max(apparent**2 - watts**2, 0.0))
        factor = 100.0 * watts / apparent if apparent > 0.0 else 100.0
        dead, low = volts < DEAD_BELOW_V, volts < LOW_BELOW_V
        meter, phases = self._meter, self._phases
        meter.show(
            A=amperes,
            PhV=volts,
            Hz=plant.truth("grid.frequency_chz") / 1e2,
            W=watts,
            VA=apparent,
            VAR=reactive,
            PF=factor,
            TotWhImp=import_wh,
            Evt=POWER_FAILURE if dead else UNDER_VOLTAGE if low else 0,
        )
        if phases > 1:
            between = volts * (sqrt(3.0) if phases == len(PHASES) else 2.0)
            meter.show(PPV=between, PhVphAB=between)
            if phases == len(PHASES):
                meter.show(PhVphBC=between, PhVphCA=between)
        for phase in PHASES[:phases]:
            meter.show(
                **{
                    f"Aph{phase}": amperes / phases,
                    f"PhVph{phase}": volts,
                    f"Wph{phase}": watts / phases,
                    f"VAph{phase}": apparent / phases,
                    f"VARph{phase}": reactive / phases,
                    f"PFph{phase}": factor,
                    f"TotWhImpPh{phase}": import_wh / phases,
                }
            )
