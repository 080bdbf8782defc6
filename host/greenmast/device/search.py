"""Looking for devices on a line: who is called, at which rate, and what is made of an answer.

Owns the order of addresses and rates and the estimate of how long that takes. Prints nothing: `Progress`
hears what is being tried.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenmast.device import recognise, remedies
from greenmast.device.station import Request, Station
from greenmast.errors import NO_CONTACT, UserError
from greenmast.modbus.master import Master, ModbusError
from greenmast.modbus.rtu import RtuMaster
from greenmast_protocol import modbus_frame

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile

ADDRESSES = range(1, 248)
SCAN_TIMEOUT_S = 0.3  # of a device that nothing is known of
_EXCHANGE_S = 0.05  # what an unanswered request costs beside its time-out
# Any answer will do, a refusal too. An even count, for some meters insist on it.
PRESENT: Request = (3, 0x0000, 2)
LINE_FAULTS = (modbus_frame.OWN_ECHO, modbus_frame.LINE_BUSY)


Question = tuple[Request, float]  # and how long to wait for its answer, in s


@dataclass(frozen=True)
class Call:
    """One address at one rate (None: a line without rates), asked `questions` until there is an answer."""

    baud: int | None
    unit: int
    questions: tuple[Question, ...]


@dataclass
class Found:
    """Something that answers. `products`: what it looks like, the surest first; `damage`: why nothing can be
    made of what comes.
    """

    unit: int
    baud: int | None
    products: list[Profile] = field(default_factory=list)
    identity: dict[str, str] = field(default_factory=dict)
    damage: str = ""


Progress = Callable[[Call], None]


def factory_calls(master: Master, known: Iterable[Profile], bauds: Sequence[int] = ()) -> list[Call]:
    """Every address that a product leaves the factory with, at each of `bauds`; none: at its factory rate.

    On a serial line products that have a network port only are left out.
    """
    calls: dict[tuple[int | None, int], list[Profile]] = {}
    for one in sorted(known, key=lambda one: (one.LINK[3], one.NAME)):
        for baud in _rates(master, (bauds or one.LINK[:1]) if one.LINK[0] else ()):
            calls.setdefault((baud, one.LINK[3]), []).append(one)
    order = list(dict.fromkeys(baud for baud, _ in calls))
    wanted = sorted(calls, key=lambda key: (order.index(key[0]), key[1]))
    return [Call(baud, unit, _questions(master, calls[baud, unit])) for baud, unit in wanted]


def calls_to(master: Master, unit: int, known: Sequence[Profile], bauds: Sequence[int]) -> list[Call]:
    """One address at each of `bauds`, asked what any product would answer."""
    questions = questions_of_all(master, known)
    return [Call(baud, unit, questions) for baud in _rates(master, bauds)]


def questions_of_all(master: Master, known: Iterable[Profile]) -> tuple[Question, ...]:
    """What everybody answers, then what each product would, for some ignore what they do not know."""
    return (_present(master), *_questions(master, known))


def every_call(
    master: Master, bauds: Sequence[int], but: Container[tuple[int | None, int]] = ()
) -> list[Call]:
    """All addresses at each of `bauds`, but for (rate, address) in `but`."""
    return [
        Call(baud, unit, (_present(master),))
        for baud in _rates(master, bauds)
        for unit in ADDRESSES
        if (baud, unit) not in but
    ]


def seconds(calls: Iterable[Call]) -> float:
    """How long `calls` take when nobody answers."""
    return sum(timeout_s + _EXCHANGE_S for call in calls for _, timeout_s in call.questions)


def search(
    master: Master, calls: Iterable[Call], known: Sequence[Profile], progress: Progress
) -> Iterator[Found]:
    """Whoever answers one of `calls`, with the products of `known` that it looks like.

    Raises LineError, UserError when the line itself is at fault.
    """
    for call in calls:
        progress(call)
        if isinstance(master, RtuMaster) and call.baud is not None and call.baud != master.baud:
            master.retune(call.baud)
        station = Station(master, call.unit, SCAN_TIMEOUT_S)
        if not is_present(station, call.questions):
            continue
        found = Found(call.unit, call.baud)
        if station.damage is not None:
            found.damage = str(station.damage)
            if station.damage.verdict in LINE_FAULTS:
                raise UserError(remedies.of_line(master.name, found.damage), NO_CONTACT)
        else:
            found.products = recognise.recognise(station, known)
            if found.products:
                found.identity = recognise.identity(station, found.products[0])
        yield found


def _rates(master: Master, bauds: Sequence[int]) -> Sequence[int | None]:
    return bauds if isinstance(master, RtuMaster) else (None,)


def _present(master: Master) -> Question:
    return PRESENT, SCAN_TIMEOUT_S + master.slack_s


def _questions(master: Master, products: Iterable[Profile]) -> tuple[Question, ...]:
    """The first question of each product, with the patience of the slowest that has it."""
    patience: dict[Request, float] = {}
    for one in products:
        question = recognise.first_question(one)
        patience[question] = max(patience.get(question, 0.0), recognise.timeout_s(master, one))
    return tuple(patience.items())


def is_present(station: Station, questions: Iterable[Question]) -> bool:
    """Whether anything comes back. What is damaged twice will be damaged again: `station.damage` then."""
    for question, timeout_s in questions:
        station.timeout_s = timeout_s
        try:
            station.ask(*question)
        except ModbusError:
            if station.damage is None:
                continue
        return True
    return False
