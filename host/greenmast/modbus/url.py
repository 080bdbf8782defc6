"""How a person names a line: `serial:///dev/ttyUSB0?baud=9600&parity=N` or `tcp://host:port`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from greenmast.errors import USAGE, UserError
from greenmast.modbus.master import Master

FORMS = "serial:///dev/ttyUSB0?baud=9600&parity=N or tcp://host:port"
PARITIES = "NEO"
_BAUD_MIN, _BAUD_MAX = 300, 4_000_000


@dataclass(frozen=True)
class SerialUrl:
    """`baud` and `parity` are None where the URL leaves them open."""

    port: str
    baud: int | None
    parity: str | None


@dataclass(frozen=True)
class TcpUrl:
    host: str
    port: int


def parse(url: str) -> SerialUrl | TcpUrl:
    """Raises UserError, which says what is wrong with `url`."""
    try:
        parts = urlsplit(url)
        port = parts.port if parts.scheme == "tcp" else None
    except ValueError as e:
        raise _wrong(url, f"the port must be a number up to 65535 ({e})") from None
    if parts.scheme == "serial":
        return _serial(url, parts.netloc + parts.path, parts.query)
    if parts.scheme == "tcp":
        if not parts.hostname:
            raise _wrong(url, "no host")
        if parts.path.strip("/") or parts.query or parts.username is not None:
            raise _wrong(url, "after host and port there is nothing more to say")
        from greenmast.modbus import tcp

        return TcpUrl(parts.hostname, tcp.PORT if port is None else port)
    if url.startswith("/"):
        raise _wrong(url, "a serial port is written with serial:// before it")
    raise _wrong(url, "it begins neither with serial:// nor with tcp://")


def open_master(line: SerialUrl | TcpUrl, baud: int, parity: str = "N", stop_bits: int = 1) -> Master:
    """The line, with `baud` and `parity` where the URL leaves them open. Raises LineError."""
    if isinstance(line, TcpUrl):
        from greenmast.modbus.tcp import TcpMaster

        return TcpMaster(line.host, line.port)
    from greenmast.modbus.rtu import RtuMaster

    return RtuMaster(line.port, line.baud or baud, line.parity or parity, stop_bits)


def _serial(url: str, port: str, query: str) -> SerialUrl:
    if not port.startswith("/"):
        raise _wrong(url, "after serial:// comes the whole path of a port, such as /dev/ttyUSB0")
    baud: int | None = None
    parity: str | None = None
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key == "baud":
            if not value.isdecimal() or not _BAUD_MIN <= int(value) <= _BAUD_MAX:
                raise _wrong(url, f"baud must be a number from {_BAUD_MIN} to {_BAUD_MAX}, not {value!r}")
            baud = int(value)
        elif key == "parity":
            if value.upper() not in tuple(PARITIES):
                raise _wrong(url, f"parity must be N, E or O, not {value!r}")
            parity = value.upper()
        else:
            raise _wrong(url, f"it takes baud and parity, not {key!r}")
    return SerialUrl(port, baud, parity)


def _wrong(url: str, why: str) -> UserError:
    return UserError(f"--url {url!r}: {why}; write {FORMS}", USAGE)
