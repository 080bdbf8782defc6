"""Opening a serial port so that nothing behind it is ever reset or made to drive a line by plugging in.

On many boards DTR and RTS drive reset and boot select, on some RS-485 adapters the transmitter, and the
system raises both when a port is opened. They are lowered together, in one call, before pyserial touches the
port, and HUPCL is cleared, so that closing changes nothing either. Knows nothing of what travels on the port.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios

import serial

_SLICE_S = 0.1
_WRITE_S = 2.0


def open_port(port: str, baud: int, parity: str = "N", stop_bits: int = 1) -> serial.Serial:
    """The open port, 8 data bits, its modem lines low, this program's alone as long as it is open.

    Raises OSError (see `why`), ValueError for settings that the port cannot have.
    """
    held = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        _lower_lines(held)
        opened = serial.Serial(
            baudrate=baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=_SLICE_S,
            write_timeout=_WRITE_S,
            exclusive=True,
        )
        opened.port = port
        opened.dtr = False
        opened.rts = False
        opened.open()
    except termios.error as e:
        raise ValueError(f"cannot be set to {baud} 8{parity}{stop_bits}") from e
    else:
        return opened
    finally:
        os.close(held)


def why(port: str, error: OSError) -> str:
    """Why `open_port` failed and what helps, in one line."""
    if isinstance(error, FileNotFoundError):
        return f"no port {port}: is the cable plugged in?"
    if isinstance(error, PermissionError):
        return f"no permission for {port}: your user belongs into its group (often dialout)"
    if "exclusively lock" in str(error):
        return f"{port} is in use by another program"
    return f"cannot open {port}: {error}"


def _lower_lines(fd: int) -> None:
    """DTR and RTS down at once, and no hang-up on close."""
    lines = struct.pack("I", termios.TIOCM_DTR | termios.TIOCM_RTS)
    with contextlib.suppress(OSError):  # pseudo-terminals have no such lines
        fcntl.ioctl(fd, termios.TIOCMBIC, lines)
    with contextlib.suppress(termios.error):  # not a terminal: pyserial will say so
        settings = termios.tcgetattr(fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, settings)
