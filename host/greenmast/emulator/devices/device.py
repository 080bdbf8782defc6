"""What every emulated Modbus device is: register banks, the rules of one product, a refresh from the plant.

Owns the banks and the default behaviour of a slave. Must not know frames, ports or any particular product.
A device touches the plant in `refresh` only: there it first carries out what a master has written, then
shows the truths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import ClassVar, Protocol

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4

READ_COILS = 1
READ_DISCRETE = 2
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16

COIL_VALUES = {0xFF00: True, 0x0000: False}  # of function 5


class RefusedError(Exception):
    """A device answers with exception `code` instead of carrying out a request."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class PlantRectifier(Protocol):
    setpoint_mv: float
    limit_ma: float


class PlantGenset(Protocol):
    def remote_start(self, on: bool) -> None: ...


class Plant(Protocol):
    """The part of `greenmast.plant.Plant` that devices use."""

    @property
    def time_s(self) -> float: ...
    @property
    def rectifier(self) -> PlantRectifier: ...
    @property
    def genset(self) -> PlantGenset: ...
    def truth(self, name: str) -> float: ...


class Device:
    """One slave. Subclasses fill the banks in `refresh` and override what their product does differently.

    Banks map an address to a register (0..65535) or a bit; addresses that are not in a bank are holes.
    `faults`: what is wrong with it, set by `BusServer.fault`. `late_s`: how late a late answer is,
    more than its master waits.
    """

    profile: ClassVar[str]
    role: ClassVar[str]
    functions: ClassVar[frozenset[int]]
    custom_functions: ClassVar[frozenset[int]] = frozenset()  # product functions whose request has no data
    max_read: ClassVar[int] = 125
    # Bits of "no value" by kind of `encoding.Register`, where the product has its own; see `register_faults`.
    no_value: ClassVar[Mapping[str, int]] = {}

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.late_s = 0.4
        self.random = Random(self.profile)  # of its faults
        self.coils: dict[int, bool] = {}
        self.discrete: dict[int, bool] = {}
        self.holding: dict[int, int] = {}
        self.input: dict[int, int] = {}

    def refresh(self, plant: Plant) -> None:
        """Carry out pending writes on `plant`, then show its truths. Called many times a second."""
        raise NotImplementedError

    def bank(self, function: int) -> Mapping[int, int]:
        """Registers that a read by `function` (3 or 4) sees."""
        return self.holding if function == READ_HOLDING else self.input

    def hole(self, function: int, address: int) -> int:
        """What the product answers where it has no register: a value, or RefusedError is raised."""
        raise RefusedError(ILLEGAL_ADDRESS)

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        """`count` registers from `address`. Raises RefusedError."""
        if count > self.max_read:
            raise RefusedError(ILLEGAL_VALUE)
        bank = self.bank(function)
        return [bank[at] if at in bank else self.hole(function, at) for at in range(address, address + count)]

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        """`count` coils or discrete inputs from `address`. Raises RefusedError."""
        bank = self.coils if function == READ_COILS else self.discrete
        if any(at not in bank for at in range(address, address + count)):
            raise RefusedError(ILLEGAL_ADDRESS)
        return [bank[at] for at in range(address, address + count)]

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        """Functions 6 and 16. Raises RefusedError; a refused write changes nothing."""
        raise RefusedError(ILLEGAL_FUNCTION)

    def write_coil(self, address: int, value: int) -> None:
        """Function 5 with the value as it came: products know more than on and off. Raises RefusedError."""
        if value not in COIL_VALUES:
            raise RefusedError(ILLEGAL_VALUE)
        self.write_coils(WRITE_COIL, address, (COIL_VALUES[value],))

    def write_coils(self, function: int, address: int, values: Sequence[bool]) -> None:
        """Functions 5 and 15. Raises RefusedError; a refused write changes nothing."""
        raise RefusedError(ILLEGAL_FUNCTION)

    def custom(self, function: int) -> None:
        """One of `custom_functions`; the reply repeats the request. Raises RefusedError."""
        raise RefusedError(ILLEGAL_FUNCTION)


def put(bank: dict[int, int], address: int, words: Sequence[int]) -> None:
    """Store consecutive registers from `address`."""
    for offset, word in enumerate(words):
        bank[address + offset] = word
