"""Own weather and load: energy is kept, years are mapped, what cannot be is refused with line and remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from math import cos, pi
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pvlib import iotools

from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.plant.config import LocationConfig, SolarConfig
from greenmast.plant.series import Series
from greenmast.plant.sky import Sky
from greenmast.simulate import load_file, weather_file

ZONE = timezone(timedelta(hours=5.5))
PLACE = LocationConfig(25.6, 85.1)
FLAT = SolarConfig(kwp=1.0, tilt_deg=0.0)
START = datetime(2025, 3, 1, tzinfo=ZONE)
DAY_S = 86_400
# Local noon at 85.1 E by Indian time is 11:50.
GHI = "ghi_w_m2"


def bell_w_m2(time: datetime) -> float:
    hour = time.hour + time.minute / 60
    return max(0.0, 800.0 * cos(pi * (hour - 11.83) / 11.0)) if 6.4 < hour < 17.3 else 0.0


def times(first: datetime, days: float, step: timedelta) -> Iterator[datetime]:
    now = first
    while now < first + timedelta(days=days):
        yield now
        now += step


def csv_file(tmp_path: Path, lines: list[str], header: str = f"time,{GHI}") -> str:
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(file)


def sunny(first: datetime, days: float, step: timedelta = timedelta(hours=1)) -> list[str]:
    return [f"{now.isoformat()},{bell_w_m2(now):.1f}" for now in times(first, days, step)]


def weather(path: str, start: datetime = START, days: int = 1, solar: SolarConfig = FLAT) -> Weather:
    return weather_file.read(path, PLACE, solar, 1, start, days)


def energy_wh(value: Callable[[float], float], begin_s: float, end_s: float) -> float:
    return sum(value(begin_s + 60.0 * i + 30.0) for i in range(int((end_s - begin_s) / 60.0))) / 60.0


def epw_lines(years: Callable[[int], int], zone_h: float = 5.5, days: int = 365) -> list[str]:
    """Hours of a year whose months are of `years(month)`; values are means of the hour that ends."""
    head = [
        f"LOCATION,Patna,BR,IND,ISHRAE,424920,25.60,85.10,{zone_h},60.0",
        *("DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0"),
        *("HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,", "COMMENTS 2,"),
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]
    rows = []
    for now in times(datetime(2025, 1, 1), days, timedelta(hours=1)):
        middle = now + timedelta(minutes=30) + timedelta(hours=5.5 - zone_h)
        values = ["0"] * 30
        values[1] = f"{20 + now.month}"
        values[8], values[9], values[10] = f"{bell_w_m2(middle):.0f}", "0", f"{bell_w_m2(middle):.0f}"
        when = f"{years(now.month)},{now.month},{now.day},{now.hour + 1},60"
        rows.append(",".join([when, *values]))
    return head + rows


def epw_file(tmp_path: Path, years: Callable[[int], int], zone_h: float = 5.5) -> str:
    file = tmp_path / "patna.epw"
    file.write_text("\n".join(epw_lines(years, zone_h)) + "\n", encoding="utf-8")
    return str(file)


EPW_LINES = epw_lines(lambda _: 2025, days=90)


@pytest.mark.parametrize("step", [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=3)])
def test_the_energy_of_a_day_in_the_plane_is_that_of_the_file(tmp_path: Path, step: timedelta) -> None:
    path = csv_file(tmp_path, sunny(datetime(2025, 3, 1), 3, step), "time,poa_w_m2")
    read = weather(path, days=3)
    rows = [bell_w_m2(now) for now in times(datetime(2025, 3, 2), 1, step)]
    of_file_wh = sum(rows) * step.total_seconds() / 3_600.0
    assert of_file_wh > 4_000.0
    assert energy_wh(read.poa_w_m2, DAY_S, 2 * DAY_S) == pytest.approx(of_file_wh, rel=0.01)


def test_steps_may_be_irregular_and_times_may_have_offsets(tmp_path: Path) -> None:
    every = [
        now for i, now in enumerate(times(START - timedelta(hours=1), 1.2, timedelta(minutes=20))) if i % 5
    ]
    lines = [f"{now.astimezone(UTC).isoformat()},{bell_w_m2(now):.1f}" for now in every]
    read = weather(csv_file(tmp_path, ["# a comment", "", *lines], "time,poa_w_m2"))
    for hour in (5, 9, 12, 16):
        assert read.poa_w_m2(hour * 3_600.0) == pytest.approx(bell_w_m2(START.replace(hour=hour)), abs=12.0)


def test_a_flat_array_gets_what_falls_on_the_horizontal_and_a_tilted_one_more_in_winter(
    tmp_path: Path,
) -> None:
    path = csv_file(tmp_path, sunny(datetime(2025, 3, 1), 2))
    flat = energy_wh(weather(path).poa_w_m2, 0, DAY_S)
    assert flat == pytest.approx(sum(bell_w_m2(START.replace(hour=hour)) for hour in range(24)), rel=0.01)
    tilted = energy_wh(weather(path, solar=SolarConfig(kwp=1.0)).poa_w_m2, 0, DAY_S)
    assert 1.02 < tilted / flat < 1.4


def test_beam_and_diffuse_count_where_the_file_has_them(tmp_path: Path) -> None:
    days = [(now, bell_w_m2(now)) for now in times(datetime(2025, 3, 1), 1, timedelta(hours=1))]
    header = f"time,{GHI},dni_w_m2,dhi_w_m2"
    dull = csv_file(tmp_path, [f"{now},{ghi:.1f},0,{ghi:.1f}" for now, ghi in days], header)
    tilted = SolarConfig(kwp=1.0)
    overcast = energy_wh(weather(dull, solar=tilted).poa_w_m2, 0, DAY_S)
    estimated = csv_file(tmp_path, sunny(datetime(2025, 3, 1), 1))
    assert overcast < 0.95 * energy_wh(weather(estimated, solar=tilted).poa_w_m2, 0, DAY_S)


def test_a_drawn_year_that_is_written_and_read_gives_the_same_plane(tmp_path: Path) -> None:
    drawn = Weather.for_site(PLACE, FLAT, 3, START)
    lines = [
        f"{START + timedelta(seconds=at)},{drawn.poa_w_m2(at)},{drawn.ambient_c(at)}"
        for at in range(0, DAY_S, 300)
    ]
    read = weather(csv_file(tmp_path, lines, "time,poa_w_m2,temperature_c"))
    for at in range(0, DAY_S - 300, 300):
        assert read.poa_w_m2(at) == pytest.approx(drawn.poa_w_m2(at), abs=1e-6)
        assert read.ambient_c(at) == pytest.approx(drawn.ambient_c(at), abs=1e-6)


def test_temperatures_that_the_file_lacks_are_those_of_the_model(tmp_path: Path) -> None:
    read = weather(csv_file(tmp_path, sunny(datetime(2025, 3, 1), 1)))
    assert read.ambient_c(5_000.0) == Weather.for_site(PLACE, FLAT, 1, START, sun=False).ambient_c(5_000.0)


@pytest.mark.parametrize("zone_h", [5.5, 0.0])
def test_a_typical_year_in_epw_serves_for_any_year_leap_years_too(tmp_path: Path, zone_h: float) -> None:
    path = epw_file(tmp_path, lambda month: 2000 + 3 * month % 11, zone_h)
    start = datetime(2028, 2, 28, 6, tzinfo=ZONE)
    read = weather(path, start, days=3)
    hours = [bell_w_m2(start.replace(hour=hour, minute=30)) for hour in range(24)]
    for day in range(1, 3):
        begin_s = day * DAY_S - 6 * 3_600
        found = energy_wh(read.poa_w_m2, begin_s, begin_s + DAY_S)
        assert found == pytest.approx(sum(hours), rel=0.01), day
    assert read.ambient_c(0.0) == 22.0
    assert read.ambient_c(2.5 * DAY_S) == 23.0  # 1 March: February has 29 days here


def test_epw_is_understood_as_pvlib_does(tmp_path: Path) -> None:
    path = epw_file(tmp_path, lambda _: 2025)
    data, _ = iotools.read_epw(path)
    read = weather(path, datetime(2025, 1, 1, tzinfo=ZONE), days=365)
    for row in range(5, 8_700, 397):
        assert read.poa_w_m2(row * 3_600.0 + 1_800.0) == pytest.approx(float(data["ghi"].iloc[row]), abs=1e-6)
        assert read.ambient_c(row * 3_600.0 + 3_600.0) == float(data["temp_air"].iloc[row])


def test_a_year_of_another_date_serves_and_a_month_of_another_date_does_not(tmp_path: Path) -> None:
    path = csv_file(tmp_path, sunny(datetime(2023, 7, 1), 366))
    read = weather(path, datetime(2025, 6, 29, tzinfo=ZONE), days=4)
    assert energy_wh(read.poa_w_m2, 0, 4 * DAY_S) == pytest.approx(
        4 * sum(bell_w_m2(START.replace(hour=hour)) for hour in range(24)), rel=0.01
    )
    with pytest.raises(UserError, match=r"nothing for 2025-07-31 23.*whole year") as told:
        weather(
            csv_file(tmp_path, sunny(datetime(2025, 7, 1), 31)), datetime(2025, 7, 30, tzinfo=ZONE), days=9
        )
    assert told.value.exit_code == BAD_INPUT_FILE


def replaced(number: int, line: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line if i == number else each for i, each in enumerate(lines)]


@pytest.mark.parametrize(
    ("spoil", "line", "what", "remedy"),
    [
        (replaced(12, "2025-03-01T12:00:00,"), 14, "'' is no number", "fill it"),
        (replaced(12, "2025-03-01T12:00:00,nan"), 14, "'nan' is no number", "fill it"),
        (replaced(12, "2025-03-01T12:00:00,inf"), 14, "'inf' is no number", "fill it"),
        (replaced(12, "2025-03-01T12:00:00,-3"), 14, "-3 is not within 0 .. 1700", "at night 0"),
        (replaced(12, "2025-03-01T12:00:00,9999"), 14, "9999 is not within", "missing"),
        (replaced(12, "2025-03-01T12:00:00,1,2"), 14, "3 values for 2 columns", "one value"),
        (replaced(12, "01/03/2025 12:00,700"), 14, "is no time", "ISO 8601"),
        (replaced(12, "2025-03-01T12:00:00+05:30,700"), 14, "offset among times without", "alike"),
        (replaced(12, "2025-03-01T11:00:00,700"), 14, "same time as in line 13", "delete one"),
        (replaced(12, "2025-03-01T03:00:00,0"), 14, "comes after", "sort"),
        (lambda lines: lines[:8] + lines[12:], 10, "nothing between", "fill the gap"),
        (
            lambda lines: [line.replace("T12", "T23") for line in lines[12:13]] + lines[13:],
            3,
            "comes after",
            "sort",
        ),
        (replaced(2, "2025-03-01T02:00:00,400"), 4, "in the night", "offset"),
    ],
)
def test_what_cannot_be_is_refused_with_line_and_remedy(
    tmp_path: Path, spoil: Callable[[list[str]], list[str]], line: int, what: str, remedy: str
) -> None:
    path = csv_file(tmp_path, spoil(sunny(datetime(2025, 3, 1), 1)))
    with pytest.raises(UserError) as told:
        weather(path)
    assert told.value.exit_code == BAD_INPUT_FILE
    [reason] = [each for each in told.value.message.splitlines() if each.startswith(f"{path}:{line}: ")]
    assert what in reason
    assert remedy in reason


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("time,ghi", "did you mean: ghi_w_m2"),
        ("time,ghi_kw_m2", "no such column 'ghi_kw_m2'.*unit"),
        ("when,ghi_w_m2", "no column time"),
        ("time,temperature_c", "no irradiance.*poa_w_m2"),
        ("time;ghi_w_m2", "commas"),
        ("time,ghi_w_m2,ghi_w_m2", "more than once"),
    ],
)
def test_a_header_is_refused_by_its_column(tmp_path: Path, header: str, what: str) -> None:
    lines = [f"{now.isoformat()},20" for now in times(datetime(2025, 3, 1), 1, timedelta(hours=1))]
    path = csv_file(tmp_path, lines, header)
    with pytest.raises(UserError, match=f"(?s){what}") as told:
        weather(path)
    assert told.value.exit_code == BAD_INPUT_FILE


def test_every_finding_is_told_the_first_few_in_full(tmp_path: Path) -> None:
    lines = [f"{line.split(',')[0]},none" for line in sunny(datetime(2025, 3, 1), 1)]
    with pytest.raises(UserError) as told:
        weather(csv_file(tmp_path, lines))
    assert told.value.message.count("is no number") == 8
    assert told.value.message.endswith("and 16 more")


def test_kilowatts_are_suspected_and_an_empty_file_is_refused(tmp_path: Path) -> None:
    lines = [
        f"{now},{bell_w_m2(now) / 1_000:.4f}" for now in times(datetime(2025, 3, 1), 3, timedelta(hours=1))
    ]
    with pytest.raises(UserError, match="multiply by 1000"):
        weather(csv_file(tmp_path, lines))
    with pytest.raises(UserError, match="multiply by 1000"):
        load_file.read(csv_file(tmp_path, lines, "time,power_w"), START, 1)
    with pytest.raises(UserError, match="0 rows"):
        weather(csv_file(tmp_path, []))
    with pytest.raises(UserError, match="empty"):
        weather(csv_file(tmp_path, [], ""))
    with pytest.raises(UserError, match="no such file"):
        weather(str(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: text.replace(",5.5,60.0", ",,60.0"), ":1: no UTC offset"),
        (lambda text: text.replace(",5.5,60.0", ",nan,60.0"), ":1: no UTC offset"),
        (lambda text: text.replace("2025,1,1,4,60,", "2025,1,1,25,60,"), ":12: no row of an EPW file"),
        (lambda text: text.replace("COMMENTS 2,\n", ""), ":8: no DATA PERIODS"),
        (lambda text: text.replace("2025,1,1,4,60,", "2025,1,1,x,60,"), ":12: no row of an EPW file"),
        (lambda text: text.replace("2025,1,1,4,60,0,21", "2025,1,1,4,60,0,99.9"), ":12: temperature_c 99.9"),
        (lambda text: text.replace("DATA PERIODS,1,1", "DATA PERIODS,1,4"), ":8: not one row an hour"),
    ],
)
def test_an_epw_file_is_refused_with_its_line(tmp_path: Path, spoil: Callable[[str], str], what: str) -> None:
    file = Path(epw_file(tmp_path, lambda _: 2025))
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError, match=what) as told:
        weather(str(file))
    assert told.value.exit_code == BAD_INPUT_FILE


def test_an_epw_file_may_be_of_windows_and_a_csv_file_must_be_utf_8(tmp_path: Path) -> None:
    text = Path(epw_file(tmp_path, lambda _: 2025)).read_text(encoding="utf-8").replace("Patna", "São Paulo")
    file = tmp_path / "latin.epw"
    file.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    assert weather(str(file)).poa_w_m2(12 * 3_600.0) > 700.0
    other = tmp_path / "latin.csv"
    other.write_bytes("time,größe\n".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        weather(str(other))


CSV_LINES = [f"time,{GHI}", *sunny(datetime(2025, 3, 1), 1)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["csv", "epw"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40), st.text(max_size=6)), max_size=6),
    st.binary(max_size=3),
)
def test_whatever_stands_in_a_file_it_is_taken_or_refused_by_its_name(
    tmp_path: Path, kind: str, edits: list[tuple[int, int, str]], tail: bytes
) -> None:
    lines = CSV_LINES if kind == "csv" else EPW_LINES
    text = list(lines)
    for at, column, new in edits:
        line = text[at % len(text)]
        text[at % len(text)] = line[:column] + new + line[column + len(new) // 2 :]
    file = tmp_path / f"any.{kind}"
    file.write_bytes("\n".join(text).encode("utf-8", "replace") + tail)
    refused: UserError | None = None
    try:
        weather(str(file))
    except UserError as error:
        refused = error
    if refused is not None:
        assert refused.exit_code == BAD_INPUT_FILE
        assert refused.message.startswith(str(file))


def test_a_plant_runs_on_a_load_and_a_weather_from_files(tmp_path: Path) -> None:
    step = timedelta(minutes=30)
    drawn = [(now, 1_500.0 + 400.0 * (now.hour % 3)) for now in times(datetime(2025, 3, 1), 1, step)]
    start = START.replace(hour=5)
    demand = load_file.read(
        csv_file(tmp_path, [f"{now},{power}" for now, power in drawn], "time,power_w"), start, 0
    )
    shining = weather(csv_file(tmp_path, sunny(datetime(2025, 3, 1), 1)), start, 0)
    plant = Plant(PlantConfig(), start=start, weather=shining, demand=demand)
    for _ in range(12 * 60):
        plant.step(60.0)
    of_file_wh = sum(power for now, power in drawn if 5 <= now.hour < 17) / 2
    served_wh = plant.loads.total_wh
    assert served_wh == pytest.approx(of_file_wh, rel=0.01)
    expected_wh = energy_wh(
        lambda at: plant.solar.potential_w(shining.poa_w_m2(at), shining.ambient_c(at)), 0, 43_200
    )
    assert plant.solar.energy_wh == pytest.approx(expected_wh, rel=0.25)
    assert plant.solar.energy_wh > 2_000.0


def test_a_series_is_the_same_in_any_order_and_holds_at_its_ends() -> None:
    series = Series([0.0, 10.0, 30.0], [1.0, 2.0, 0.0])
    asked = [25.0, -5.0, 5.0, 99.0, 10.0, 0.0, 30.0]
    assert [series.at(at) for at in asked] == [0.5, 1.0, 1.5, 0.0, 2.0, 1.0, 0.0]
    for bad in (([0.0], [1.0]), ([0.0, 1.0], [1.0]), ([1.0, 1.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match=r"series|ascend"):
            Series(*bad)


def test_the_sun_of_files_is_that_of_the_drawn_weather() -> None:
    """On the horizontal nothing but the sun's course decides; with a tilt both must agree."""
    sky = Sky(PLACE.latitude_deg, PLACE.longitude_deg, timedelta(hours=5.5), 30.0)
    level = Sky(PLACE.latitude_deg, PLACE.longitude_deg, timedelta(hours=5.5), 0.0)
    [(tilted, _)], [(horizontal, _)] = (one.days(START.date(), [0.3]) for one in (sky, level))
    at = [900.0 * i for i in range(97)]
    again = sky.measured(START.replace(tzinfo=None), at, horizontal, None)
    assert again == pytest.approx(tilted, rel=0.01, abs=1.0)
