"""Applying a configuration to a board: the firmware's own transaction behind a link that loses answers."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from host.tests.conftest import FakeBoard  # type: ignore[import-not-found]

from greenmast.config import source, transaction
from greenmast.errors import NOT_AUTHORISED, USAGE, UserError
from greenmast.link.base import Link
from greenmast_fw.services import setup
from greenmast_fw.services import transaction as steps
from greenmast_fw.services.rpc import Rpc, Session
from greenmast_fw.storage import files, revisions
from greenmast_protocol import message

GOOD = source.read("india-rural")


class Board(FakeBoard):  # type: ignore[misc]
    """Boots from the current folder's documents; a restart is at once, the next time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.boots = 0
        self.wants_restart = False
        self.trial: Any = None
        self.boot()

    def boot(self) -> None:
        self.boots += 1
        self.wants_restart = False
        _, parts, _ = setup.read()
        assert parts
        self.revision = int(parts[0]["revision"])
        self.trial = type("Trial", (), {"left_s": parts[-1]})() if parts[-1] else None
        self.v["controller.safe_mode"] = 0

    def restart(self) -> None:
        self.wants_restart = True

    def hello(self) -> dict[str, Any]:
        return super().hello() | {"boot": self.boots, "revision": self.revision}

    def statistics(self) -> dict[str, Any]:
        return {"scans": 5}

    def config(self) -> list[bytes]:
        return list(files.trial() if self.trial and self.trial.left_s else files.pieces(files.CONFIG) or ())

    def transactions(self) -> dict[str, Any]:
        return revisions.report()

    def configure(self, method: str, params: dict[str, Any], by_hand: bool) -> Any:
        return steps.run(self, method, params)


class Cable(Link):
    """A link to `board`. `loses(number)` says whether the answer to that request is lost."""

    answer_s = 0.01

    def __init__(self, board: Board, session: Session | None, loses: Callable[[int], bool]) -> None:
        super().__init__("cable")
        self._board = board
        self._session = session
        self._loses = loses
        self._arrived: list[bytes] = []

    count = 0

    def _send(self, body: bytes) -> None:
        assert len(body) <= 229, "a serial line holds no more"
        if self._board.wants_restart and message.parse(body).method == "hello":
            self._board.boot()
        answer = asyncio.run(Rpc(self._board).handle(body, True, self._session))
        Cable.count += 1
        if not self._loses(Cable.count):
            self._arrived.append(b"".join(answer))

    def _receive(self, timeout_s: float) -> bytes | None:
        return self._arrived.pop(0) if self._arrived else None

    def close(self) -> None:
        pass


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(transaction, "_PAUSE_S", 0.0)
    monkeypatch.setattr(gc, "mem_free", lambda: 1_000_000, raising=False)
    files.store(files.CONFIG, (source.compact(GOOD.document(1)),))
    return Board()


def opener(
    board: Board, loses: Callable[[int], bool] = lambda number: False, session: bool = True
) -> Callable[[], Link]:
    Cable.count = 0
    return lambda: Cable(board, Session() if session else None, loses)


def with_delay(seconds: int) -> source.Source:
    def document(revision: int) -> dict[str, Any]:
        out: dict[str, Any] = json.loads(json.dumps(GOOD.document(revision)))
        out["params"]["grid.return_delay_s"] = seconds
        return out

    return source.Source("here", document)


def test_it_is_in_force_and_confirmed_and_the_second_time_there_is_nothing_to_do(board: Board) -> None:
    done = transaction.apply(opener(board), with_delay(33))
    assert (done.revision, done.confirmed, board.revision, board.boots) == (2, True, 2, 2)
    assert revisions.status() == {"revision": 2, "next": 3, "confirm_s": 0}
    done = transaction.apply(opener(board), with_delay(33))
    assert (done.revision, done.changes, board.boots) == (2, [], 2)


@pytest.mark.parametrize("nth", [2, 3, 5])
def test_every_nth_answer_may_be_lost_and_it_is_applied_once(board: Board, nth: int) -> None:
    done = transaction.apply(opener(board, lambda number: number % nth == 0), with_delay(33))
    assert (done.revision, done.confirmed, board.revision, board.boots) == (2, True, 2, 2)
    assert revisions.status()["confirm_s"] == 0


def test_a_confirmation_may_be_left_to_somebody_and_until_then_nothing_else_is_taken(board: Board) -> None:
    done = transaction.apply(opener(board), with_delay(33), within_s=600, confirm=False)
    assert (done.confirmed, done.confirm_within_s) == (False, 600)
    with pytest.raises(UserError, match="on trial"):
        transaction.apply(opener(board), with_delay(44))
    with opener(board)() as link:
        assert transaction.confirm(link) == {"revision": 2, "was_on_trial": True}
        assert transaction.confirm(link) == {"revision": 2, "was_on_trial": False}
        assert transaction.roll_back(link) == {"revision": 1, "from": 2}
    board.boot()
    assert board.revision == 1


def test_what_the_board_refuses_is_told_with_every_reason_and_nothing_changes(board: Board) -> None:
    def document(revision: int) -> dict[str, Any]:
        out = with_delay(0).document(revision)
        out["devices"][0]["profile"] = "no-such-profile"
        return out

    with pytest.raises(UserError, match=r"(?s)nothing is applied.*grid.return_delay_s: 0 must"):
        transaction.apply(opener(board), source.Source("here", document))
    assert (board.boots, revisions.status()) == (1, {"revision": 1, "next": 2, "confirm_s": 0})


def test_a_board_that_does_not_run_with_it_goes_back(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "_HEALTHY_WITHIN_S", 0.05)
    board.statistics = lambda: {"scans": 0}  # type: ignore[method-assign]
    with pytest.raises(UserError, match="does not run"):
        transaction.apply(opener(board), with_delay(33))
    board.boot()
    assert board.revision == 1


def test_another_sites_file_and_one_made_from_another_revision_are_refused(board: Board) -> None:
    with pytest.raises(UserError, match="--other-site") as refused:
        transaction.apply(opener(board), source.read("off-grid"))
    assert refused.value.exit_code == USAGE
    with pytest.raises(UserError, match="made from revision 7"):
        transaction.apply(opener(board), source.Source("here", with_delay(5).document, 7))
    assert board.boots == 1


def test_a_link_that_may_not_write_is_not_authorised(board: Board) -> None:
    with pytest.raises(UserError) as refused:
        transaction.apply(opener(board, session=False), with_delay(33))
    assert refused.value.exit_code == NOT_AUTHORISED
    assert board.boots == 1
