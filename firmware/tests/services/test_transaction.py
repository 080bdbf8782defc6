"""Transactions on the board: staged in pieces, judged, on trial, confirmed or gone back; each step once."""

import asyncio
import binascii
import json
import os

from greenmast_fw.services import commit as committing
from greenmast_fw.services import setup, transaction
from greenmast_fw.storage import files, revisions, staged

PIECE = 100


class Board:
    def __init__(self, revision):
        self.revision = revision
        self.trial = None
        self.restarts = 0

    def restart(self):
        self.restarts += 1


class Trial:
    left_s = 60


def wipe():
    for name in os.listdir("."):
        if name.split(".")[0] in ("config", "trial", "pending", "refused", "staged", "boot", "record"):
            os.remove(name)


def document(revision, **params):
    body = '{"schema":1,"revision":%d,' % revision
    rest = {
        "site": {"id": "here", "name": "Here", "board": "virtual"},
        "buses": [{"name": "meters", "baud": 9600, "parity": "N"}],
        "devices": [{"role": "load", "profile": "pzem-017", "bus": "meters", "address": 3}],
        "outputs": {},
        "inputs": {},
        "battery": {"chemistry": "lfp", "capacity_ah": 300, "cells": 15},
        "params": {name.replace("__", "."): value for name, value in params.items()},
        "mqtt": {},
    }
    return (body + json.dumps(rest)[1:]).encode()


def ask(board, method, **params):
    return asyncio.run(transaction.run(board, "config." + method, params))


def crc(body):
    return binascii.crc32(body) & 0xFFFFFFFF


def stage(board, body, total=None):
    at = 0
    while at < len(body):
        piece = binascii.b2a_base64(body[at : at + PIECE]).decode().strip()
        code, text, answer = ask(
            board, "stage", offset=at, total=total or len(body), crc=crc(body), data=piece
        )
        assert not code, (code, text)
        at = answer["offset"]
    return crc(body)


def commit(board, body, over, within_s=60):
    return ask(board, "commit", revision=over, confirm_within_s=within_s, crc=stage(board, body))


def fresh():
    """A board whose confirmed configuration is revision 1."""
    wipe()
    files.store(files.CONFIG, (document(1),))
    return Board(1)


def boot():
    """What the next boot comes up with: (revision or None, seconds of a trial)."""
    _, parts, _ = setup.read()
    return (parts[0]["revision"], parts[-1]) if parts else (None, 0)


def on_trial(board, body, over):
    """The board after a commit and the restart."""
    code, text, answer = commit(board, body, over)
    assert not code, (code, text, answer)
    revision, left_s = boot()
    assert (revision, left_s) == (over + 1, 60)
    board = Board(revision)
    board.trial = Trial()
    return board


def test_a_committed_document_is_on_trial_after_the_restart_and_stays_when_confirmed():
    board = fresh()
    code, _, answer = commit(board, document(2, grid__return_delay_s=33), 1)
    assert (code, answer) == ("", {"revision": 2, "confirm_within_s": 60})
    assert board.restarts == 1
    assert not staged.length()
    assert boot() == (2, 60)
    board = Board(2)
    board.trial = Trial()
    assert ask(board, "confirm", revision=2) == ("", "", {"revision": 2})
    assert board.trial.left_s == 0
    assert boot() == (2, 0)
    wipe()


def test_a_step_that_is_repeated_after_a_lost_reply_is_done_once_and_answered_alike():
    board = fresh()
    body = document(2)
    first = commit(board, body, 1)
    assert ask(board, "commit", revision=1, confirm_within_s=60, crc=crc(body)) == first
    assert board.restarts == 1
    board = Board(boot()[0])
    again = ask(board, "commit", revision=1, confirm_within_s=60, crc=crc(body))
    assert again == first
    assert board.restarts == 0
    assert ask(board, "confirm", revision=2) == ask(board, "confirm", revision=2) == ("", "", {"revision": 2})
    assert ask(board, "commit", revision=1, confirm_within_s=60, crc=crc(body))[2]["revision"] == 2
    gone = ask(board, "rollback", revision=2)
    assert gone == ("", "", {"revision": 1})
    assert ask(board, "rollback", revision=2) == gone
    assert boot() == (1, 0)
    assert ask(Board(1), "rollback", revision=2) == gone
    assert board.restarts == 1
    wipe()


def test_what_is_not_confirmed_goes_back_when_it_is_booted_too_often():
    board = fresh()
    on_trial(board, document(2), 1)
    for _ in range(revisions.BOOTS_MAX - 1):
        assert boot() == (2, 60)
    assert boot() == (1, 0)
    assert boot() == (1, 0)
    wipe()


def test_a_document_that_does_not_boot_goes_back_at_once_and_says_why():
    fresh()
    bad = document(2, lvd__tier1_mv=60000, grid__nonsense=1)
    stage(Board(1), bad)
    revisions.begin(staged.PATH, 2, 1, crc(bad), 60)  # as a board does that has no room to judge
    assert boot() == (1, 0)
    places = [place for place, _ in revisions.refusal()]
    assert "grid.nonsense" in places
    assert "lvd.tier2_mv" in places
    assert revisions.status() == {"revision": 1, "next": 3, "confirm_s": 0}
    wipe()


def test_a_board_without_room_to_judge_leaves_it_to_the_next_boot():
    board = fresh()
    before = committing._RULES_B
    committing._RULES_B = 1 << 40
    try:
        assert commit(board, document(2, nonsense=1), 1)[0] == ""
    finally:
        committing._RULES_B = before
    assert boot() == (1, 0)
    assert revisions.refusal() == [["nonsense", "no such parameter"]]
    wipe()


def test_a_trial_whose_document_rots_goes_back():
    board = fresh()
    on_trial(board, document(2), 1)
    with open(files.TRIAL, "wb") as f:
        f.write(b"rot")
    assert boot() == (1, 0)
    code, _, _ = commit(Board(1), document(3), 1)
    assert not code
    wipe()


def refused(body, over=1, board=None):
    """Code and data of a commit that must be refused, and after which nothing is different."""
    board = board or fresh()
    before = (revisions.status(), files.read(files.CONFIG), files.read(revisions.PENDING))
    code, text, data = commit(board, body, over)
    assert code
    assert text
    assert board.restarts == 0
    assert (revisions.status(), files.read(files.CONFIG), files.read(revisions.PENDING)) == before
    wipe()
    return code, data


def test_what_is_no_good_document_is_refused_with_every_reason_and_nothing_is_applied():
    good = document(2)
    bodies = (
        b"\xef\xbb\xbf" + good,
        good[:-40],
        good + b"}",
        good.replace(b'"mqtt": {}', b'"mqtt": {}, "mqtt": {}'),
        good.replace(b'"schema":1', b'"schema":2'),
        good.replace(b'"schema":1', b'"schema":null'),
        good.replace(b'"capacity_ah": 300', b'"capacity_ah": "300"'),
        good.replace(b'"capacity_ah": 300', b'"capacity_ah": 300.5'),
        good.replace(b'"virtual"', b'"no-such-board"'),
        good.replace(b'"pzem-017"', b'"no-such-profile"'),
        b'{"schema":1,"revision":2,"lies":true}',
        b"[]",
        b"\x00",
    )
    for body in bodies:
        assert body != good
        code, data = refused(body)
        assert code == "invalid_value"
        assert data["problems"], body
    code, data = refused(document(2, lvd__tier1_mv=60000, source__dead_time_ms=0, nonsense=1))
    places = [place for place, _ in data["problems"]]
    assert sorted(places) == ["lvd.tier2_mv", "nonsense", "source.dead_time_ms"]


def test_a_replayed_older_revision_and_another_ones_expectation_are_refused():
    board = fresh()
    board = on_trial(board, document(2), 1)
    assert ask(board, "confirm", revision=2)[0] == ""
    assert commit(board, document(2), 1)[2] == {
        "revision": 2,
        "confirm_within_s": 0,
    }  # a lost reply, no replay
    assert commit(board, document(2, grid__return_delay_s=9), 1)[0] == "revision_conflict"
    assert commit(board, document(2, grid__return_delay_s=9), 2)[0] == "invalid_value"  # its number is used
    assert commit(board, document(5), 2)[0] == "invalid_value"
    assert commit(board, document(3), 7)[0] == "revision_conflict"
    assert board.restarts == 0
    assert commit(board, document(3), 2)[0] == ""
    wipe()


def test_a_transaction_that_has_gone_back_cannot_be_replayed():
    board = fresh()
    board = on_trial(board, document(2), 1)
    assert ask(board, "rollback", revision=2) == ("", "", {"revision": 1})
    assert board.trial.left_s == 0
    assert boot() == (1, 0)
    board = Board(1)
    assert commit(board, document(2), 1)[0] == "invalid_value"
    assert commit(board, document(3), 1)[0] == ""
    wipe()


def test_one_transaction_at_a_time():
    board = fresh()
    commit(board, document(2), 1)
    assert ask(board, "confirm", revision=2)[0] == "busy"  # it is not in force yet
    assert commit(board, document(2, grid__return_delay_s=9), 1)[0] == "busy"
    board = Board(boot()[0])
    assert commit(board, document(3), 2)[0] == "busy"
    assert ask(board, "confirm", revision=1)[0] == "revision_conflict"
    assert ask(board, "rollback", revision=1)[0] == "revision_conflict"
    wipe()


def test_there_is_a_way_back_once_and_no_further():
    board = fresh()
    assert ask(board, "rollback", revision=1)[0] == "invalid_value"
    board = on_trial(board, document(2), 1)
    ask(board, "confirm", revision=2)
    assert ask(board, "rollback", revision=2)[2] == {"revision": 1}
    assert ask(Board(1), "rollback", revision=1)[0] == "invalid_value"
    wipe()


def test_a_blank_board_takes_its_first_configuration():
    wipe()
    board = Board(0)
    assert boot() == (None, 0)
    assert commit(board, document(1), 0)[2] == {"revision": 1, "confirm_within_s": 60}
    assert boot() == (1, 60)
    wipe()


def test_pieces_may_come_twice_and_gaps_and_contradictions_are_told():
    board = fresh()
    body = document(2)
    data = binascii.b2a_base64(body[:PIECE]).decode().strip()
    more = binascii.b2a_base64(body[PIECE : 2 * PIECE]).decode().strip()

    def put(offset, data, total=0):
        total = total or len(body)
        code, _, answer = ask(board, "stage", offset=offset, total=total, crc=crc(body), data=data)
        return code or answer["offset"]

    assert put(PIECE, more) == 0
    assert put(0, data) == put(0, data) == PIECE
    assert put(PIECE, more) == put(PIECE, more) == 2 * PIECE
    assert put(PIECE, data) == 0
    assert put(2 * PIECE + 1, data) == 2 * PIECE
    for offset, text, total in (
        (0, "", 10),
        (0, data, 10),
        (0, "!", 10),
        (-1, data, 1000),
        (0, data, 10_000_000),
        (0, 5, 1000),
        (True, data, 1000),
        (0, None, 1000),
    ):
        assert put(offset, text, total) == "invalid_value", (offset, text, total)
    assert staged.length() == 2 * PIECE
    assert ask(board, "commit", revision=1, confirm_within_s=60, crc=crc(body))[0] == "invalid_value"
    wipe()


def test_steps_take_only_what_they_know():
    board = fresh()
    for method, params in (
        ("forget", {}),
        ("confirm", {}),
        ("confirm", {"revision": "1"}),
        ("confirm", {"revision": True}),
        ("confirm", {"revision": 1, "extra": 1}),
        ("commit", {"revision": 1, "crc": 1}),
        ("commit", {"revision": 1, "crc": 1, "confirm_within_s": 1}),
        ("rollback", {"revision": -1}),
    ):
        code, text, _ = ask(board, method, **params)
        assert code in ("unknown", "invalid_value"), (method, params)
        assert text
    assert board.restarts == 0
    wipe()
