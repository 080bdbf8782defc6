"""One address on a line, asked politely: nothing twice that has been answered, once more what was lost.

Runs the questions that the tables' generators put (`greenmast_fw.devices.probe`). Knows no product.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from greenmast.modbus.master import DamagedError, Master, ModbusError, NoReplyError, RefusedByDeviceError
from greenmast_protocol import modbus_frame

T = TypeVar("T")
Request = tuple[int, int, int]  # function, address, count
NO_ANSWER = 0  # where others have the number of an exception


class Station:
    """`answered`: whether anything has come from it; `damage`: why, when all that came was damaged."""

    def __init__(self, master: Master, unit: int, timeout_s: float) -> None:
        self.master = master
        self.unit = unit
        self.timeout_s = timeout_s
        self.answered = False
        self.damage: DamagedError | None = None
        self._known: dict[Request, bytes | int | ModbusError] = {}

    def ask(self, function: int, address: int, count: int) -> bytes | int:
        """The data bytes of the reply, or the number of the exception that refused.

        What is known is not asked again. Raises ModbusError when there is no answer, LineError.
        """
        request = (function, address, count)
        if request not in self._known:
            self._known[request] = self._answer(request)
        known = self._known[request]
        if isinstance(known, ModbusError):
            raise known
        return known

    def run(self, questions: Generator[Request, bytes | int, T], lost: dict[Request, str] | None = None) -> T:
        """What a generator of questions makes of the answers. Raises ModbusError when one has none.

        With `lost` it goes on then: the generator is told `NO_ANSWER`, and `lost` remembers why.
        """
        try:
            request = next(questions)
            while True:
                try:
                    answer = self.ask(*request)
                except ModbusError as e:
                    if lost is None:
                        raise
                    lost[request] = str(e)
                    answer = NO_ANSWER
                request = questions.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            questions.close()

    def _answer(self, request: Request) -> bytes | int | ModbusError:
        """One request, repeated once when the reply was damaged, or is missing though others were not."""
        lost: ModbusError = NoReplyError()
        for _ in range(2):
            try:
                data = self.master.read(self.unit, *request, self.timeout_s)
            except RefusedByDeviceError as e:
                self._heard()
                return e.code
            except NoReplyError as e:
                lost = e
                if not self.answered:
                    break
            except DamagedError as e:
                lost = e
                if not self.answered:
                    self.damage = e
                if e.verdict in (modbus_frame.OWN_ECHO, modbus_frame.LINE_BUSY):
                    break  # of the adapter and the line, not of this request
            else:
                self._heard()
                return data
        return lost

    def _heard(self) -> None:
        self.answered = True
        self.damage = None
