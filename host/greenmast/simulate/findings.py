"""What is wrong with a file that somebody brought: told with line and remedy.

Owns how it is told and the rules for text and numbers. Must not know what a file is about.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TypeAlias

from greenmast.errors import BAD_INPUT_FILE, USAGE, UserError

EPW_MARK = "LOCATION,"
_TOLD = 8
_BYTES_MAX = 200_000_000
# Lowest and highest plausible value of a column, and what helps against others.
Limits: TypeAlias = tuple[float, float, str]


class Findings:
    """What is wrong with a file; the first few are told."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: list[str] = []

    def add(self, line: int | None, what: str, remedy: str) -> None:
        where = self.path if line is None else f"{self.path}:{line}"
        self._found.append(f"{where}: {what}: {remedy}")

    def tell(self) -> None:
        """Raises UserError (exit code 5) when something has been found."""
        if self._found:
            raise self._error()

    def refuse(self, line: int | None, what: str, remedy: str) -> UserError:
        """For what ends the reading: the error to raise, which tells what has been found before, too."""
        self.add(line, what, remedy)
        return self._error()

    def _error(self) -> UserError:
        more = len(self._found) - _TOLD
        rest = [f"and {more} more"] if more > 0 else []
        return UserError("\n".join([*self._found[:_TOLD], *rest]), BAD_INPUT_FILE)


def lines_of(path: str) -> list[str]:
    """The file's lines. Raises UserError when there is no such text."""
    file = Path(path)
    if not file.is_file():
        raise UserError(f"no such file: {path}", USAGE)
    try:
        if file.stat().st_size > _BYTES_MAX:
            raise Findings(path).refuse(None, f"{file.stat().st_size} bytes", "see that it is the right file")
        content = file.read_bytes()
    except OSError as error:
        raise Findings(path).refuse(None, f"cannot be read: {error}", "see that you may read it") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not content.startswith(EPW_MARK.encode()):
            raise Findings(path).refuse(None, f"is no text: {error}", "write it as UTF-8") from None
        text = content.decode("latin-1")  # for the name of a place; the numbers are ASCII
    # Not splitlines: it takes more characters for an end of line than editors do, who count otherwise then.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def number(findings: Findings, line: int, name: str, text: str, limits: Limits) -> float | None:
    """The value of a cell; None and a finding when it is none, or not plausible."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    low, high, remedy = limits
    if not isfinite(value):
        findings.add(line, f"{name} {text!r} is no number", "fill it with a value, or delete the line")
    elif not low <= value <= high:
        findings.add(line, f"{name} {text} is not within {low:g} .. {high:g}", remedy)
    else:
        return value
    return None
