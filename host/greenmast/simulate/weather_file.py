"""Weather that somebody has measured, or that is typical of a place: from CSV or EPW to the array's plane.

Owns the columns of such files, what is plausible in them and the layout of EPW (EnergyPlus). Must not know
plants: it makes what they take.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from greenmast.plant.config import LocationConfig, SolarConfig
from greenmast.plant.series import Series
from greenmast.plant.sky import Sky
from greenmast.plant.weather import MeasuredWeather, Weather
from greenmast.simulate.findings import EPW_MARK, Findings, Limits, lines_of, number
from greenmast.simulate.rows import DAY_S, YEARS, Placed, Rows, cells_of, check_order, place, read_csv

_SUN = "it is W/m2, at night 0; fill what is missing"
COLUMNS: dict[str, Limits] = {
    "ghi_w_m2": (0.0, 1_700.0, _SUN),
    "dni_w_m2": (0.0, 1_400.0, _SUN),
    "dhi_w_m2": (0.0, 1_200.0, _SUN),
    "poa_w_m2": (0.0, 1_800.0, _SUN),
    "temperature_c": (-60.0, 60.0, "it is degrees Celsius; fill what is missing"),
}
# With the sun 8 degrees below the horizon not even twilight gives that much.
NIGHT_DEG, NIGHT_W_M2 = 98.0, 20.0
LEAST_PEAK_W_M2 = 5.0
# EPW: place of the offset in the first line, then places in each row.
_EPW_ZONE, _EPW_HEADER = 8, 8
_EPW = {"ghi_w_m2": 13, "dni_w_m2": 14, "dhi_w_m2": 15}
_EPW_TEMPERATURE = 6


def read(
    path: str, location: LocationConfig, solar: SolarConfig, seed: int, start: datetime, days: int
) -> Weather:
    """Weather of a run of `days` from local time `start`, whose UTC offset holds throughout.

    A file without temperatures has those of the site's model for `seed`. Raises UserError: exit code 5 with
    line and remedy for a file that is not right, 1 when the extra `sim` is not installed.
    """
    offset = start.utcoffset()
    if offset is None:
        raise ValueError("start needs a UTC offset: the sun does not know local time")
    sky = Sky(location.latitude_deg, location.longitude_deg, offset, solar.tilt_deg)
    lines = lines_of(path)
    if lines[0].startswith(EPW_MARK):
        sun, air = _read_epw(path, lines, timezone(offset))
    else:
        sun = air = read_csv(path, lines, COLUMNS, timezone(offset))
        _check_columns(sun)
    midnight = datetime(start.year, start.month, start.day)
    begin_s = (start.replace(tzinfo=None) - midnight).total_seconds()
    end_s = begin_s + days * DAY_S
    placed = place(sun, midnight, begin_s, end_s)
    poa_w_m2 = _plane(sky, sun, placed, midnight)
    _check_sun(sky, sun, placed, midnight)
    ambient_c: Series | None = None
    if "temperature_c" in air.columns:
        of_air = placed if air is sun else place(air, midnight, begin_s, end_s)
        ambient_c = _series(of_air, of_air.of(air.columns["temperature_c"]), begin_s)
    otherwise = Weather.for_site(location, solar, seed, start, sun=False)
    return MeasuredWeather(_series(placed, poa_w_m2, begin_s), ambient_c, otherwise)


def _series(placed: Placed, values: list[float], begin_s: float) -> Series:
    """By seconds after the start of the plant."""
    return Series((time_s - begin_s for time_s in placed.times_s), values)


def _plane(sky: Sky, rows: Rows, placed: Placed, midnight: datetime) -> list[float]:
    columns = rows.columns
    if "poa_w_m2" in columns:
        return placed.of(columns["poa_w_m2"])
    beam = None
    if "dni_w_m2" in columns:
        beam = (placed.of(columns["dni_w_m2"]), placed.of(columns["dhi_w_m2"]))
    return sky.measured(midnight, placed.times_s, placed.of(columns["ghi_w_m2"]), beam)


def _check_columns(rows: Rows) -> None:
    findings = Findings(rows.path)
    columns = rows.columns
    if "ghi_w_m2" not in columns and "poa_w_m2" not in columns:
        findings.add(
            None, "no irradiance", "give ghi_w_m2 (on the horizontal) or poa_w_m2 (in the array's plane)"
        )
    if ("dni_w_m2" in columns) != ("dhi_w_m2" in columns):
        findings.add(None, "one of dni_w_m2 and dhi_w_m2", "give both beside ghi_w_m2, or neither")
    findings.tell()


def _check_sun(sky: Sky, rows: Rows, placed: Placed, midnight: datetime) -> None:
    """Times and units against the course of the sun."""
    findings = Findings(rows.path)
    name = "ghi_w_m2" if "ghi_w_m2" in rows.columns else "poa_w_m2"
    column = rows.columns[name]
    for row, zenith_deg in zip(placed.rows, sky.zenith_deg(midnight, placed.times_s), strict=True):
        if zenith_deg > NIGHT_DEG and column[row] > NIGHT_W_M2:
            what = f"{name} {column[row]:g} at {rows.times[row]}, in the night"
            remedy = "write local times or their offset (UTC: +00:00); see the site's latitude and longitude"
            raise findings.refuse(rows.lines[row], what, remedy)
    if max(column) < LEAST_PEAK_W_M2 and rows.times[-1] - rows.times[0] > timedelta(days=2):
        findings.add(None, f"{name} is never above {max(column):g}", "kW/m2? multiply by 1000")
    findings.tell()


def _read_epw(path: str, lines: list[str], zone: timezone) -> tuple[Rows, Rows]:
    """Rows of the sun in the middle of each hour, and of the air at its end, as EnergyPlus defines them."""
    findings = Findings(path)
    shift = _epw_shift(findings, lines, zone)
    sun, air = (Rows(path, columns={name: [] for name in names}) for names in (_EPW, ("temperature_c",)))
    for line, cells in cells_of(findings, lines, _EPW_HEADER + 1):
        try:
            end = _epw_end(cells) + shift
            texts = {name: cells[at] for name, at in (*_EPW.items(), ("temperature_c", _EPW_TEMPERATURE))}
        except (ValueError, IndexError):
            findings.add(line, "no row of an EPW file", "year, month, day, hour 1 .. 24 and 31 values follow")
            continue
        values = {name: number(findings, line, name, text, COLUMNS[name]) for name, text in texts.items()}
        for rows, time in ((sun, end - timedelta(minutes=30)), (air, end)):
            rows.times.append(time)
            rows.lines.append(line)
            for name, column in rows.columns.items():
                column.append(values[name] or 0.0)
    findings.tell()
    check_order(findings, sun)
    air.typical = sun.typical
    return sun, air


def _epw_end(cells: list[str]) -> datetime:
    """When the hour of a row ends. Raises ValueError where it does not say so."""
    year, month, day, hour = (int(cell) for cell in cells[:4])
    if year not in YEARS or not 1 <= hour <= 24:
        raise ValueError(f"{year}, hour {hour}")
    return datetime(year, month, day) + timedelta(hours=hour)


def _epw_shift(findings: Findings, lines: list[str], zone: timezone) -> timedelta:
    """What to add to the file's times to have the run's."""
    header = [line.split(",") for line in lines[:_EPW_HEADER]]
    try:
        zone_h = float(header[0][_EPW_ZONE])
    except (ValueError, IndexError):
        zone_h = float("nan")
    if not -14.0 <= zone_h <= 14.0:
        raise findings.refuse(1, "no UTC offset", "LOCATION has it as its ninth value, in hours")
    periods = header[-1]
    if len(header) < _EPW_HEADER or periods[0].strip().upper() != "DATA PERIODS":
        raise findings.refuse(len(header), "no DATA PERIODS", "an EPW file has eight lines before its rows")
    if len(periods) > 2 and periods[2].strip() != "1":
        raise findings.refuse(_EPW_HEADER, "not one row an hour", "write it as CSV with a time for each row")
    return zone.utcoffset(None) - timedelta(hours=zone_h)
