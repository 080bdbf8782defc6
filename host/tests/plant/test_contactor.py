"""Contactors: travel, idle state, feedback, faults."""

from __future__ import annotations

import pytest

from greenmast.plant.contactor import Contactor, ContactorBank


@pytest.fixture
def bank() -> ContactorBank:
    return ContactorBank({"made": False, "broken": True}, {"made": 0.030, "broken": 0.020})


def operate(bank: ContactorBank, name: str, energised: bool) -> Contactor:
    bank.coil(name, energised)
    bank.advance(bank.now_s + 1.0)
    return bank.contactors[name]


def test_idle_state_holds_until_the_coil_is_energised(bank: ContactorBank) -> None:
    assert not bank.contactors["made"].closed
    assert bank.contactors["broken"].closed
    assert operate(bank, "made", True).closed
    assert not operate(bank, "broken", True).closed


def test_main_contacts_and_feedback_move_after_the_travel_time_not_before(bank: ContactorBank) -> None:
    bank.coil("made", True)
    assert bank.due_s == pytest.approx(0.030)
    bank.advance(0.029)
    assert not bank.contactors["made"].feedback
    bank.advance(0.030)
    assert bank.contactors["made"].feedback
    assert bank.contactors["made"].operations == 1


def test_a_coil_released_during_travel_moves_nothing(bank: ContactorBank) -> None:
    bank.coil("made", True)
    bank.advance(0.010)
    bank.coil("made", False)
    bank.advance(1.0)
    assert not bank.contactors["made"].closed
    assert bank.contactors["made"].operations == 0


def test_a_welded_contactor_stays_closed_and_opens_once_freed(bank: ContactorBank) -> None:
    contactor = operate(bank, "made", True)
    contactor.welded = True
    assert operate(bank, "made", False).closed
    contactor.welded = False
    bank.advance(bank.now_s + 1.0)
    assert not contactor.closed


def test_a_contactor_that_wont_close_stays_open_and_closes_once_repaired(bank: ContactorBank) -> None:
    contactor = bank.contactors["made"]
    contactor.wont_close = True
    assert not operate(bank, "made", True).closed
    contactor.wont_close = False
    bank.advance(bank.now_s + 1.0)
    assert contactor.closed


def test_stuck_feedback_keeps_its_value_while_the_main_contacts_move(bank: ContactorBank) -> None:
    contactor = bank.contactors["made"]
    contactor.feedback_stuck = True
    operate(bank, "made", True)
    assert contactor.closed
    assert not contactor.feedback
    contactor.feedback_stuck = False
    assert contactor.feedback


def test_a_chattering_auxiliary_contact_differs_at_every_look_and_settles_afterwards(
    bank: ContactorBank,
) -> None:
    contactor = bank.contactors["broken"]
    contactor.chatter = True
    assert [contactor.look() for _ in range(4)] == [False, True, False, True]
    contactor.look()
    contactor.chatter = False
    assert [contactor.look() for _ in range(2)] == [True, True]
    assert contactor.closed
