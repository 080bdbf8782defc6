"""The countdown of a configuration on trial."""

from greenmast_fw import storage
from greenmast_fw.services import trial
from greenmast_fw.storage import revisions


class OverError(Exception):
    pass


class Time:
    def __init__(self, seconds):
        self._now_ms = 0
        self._end_ms = seconds * 1000

    def ticks_ms(self):
        return self._now_ms

    def diff(self, a, b):
        return a - b

    def add(self, a, b):
        return a + b

    async def sleep_ms(self, ms):
        self._now_ms += ms
        if self._now_ms > self._end_ms:
            raise OverError


class Flash:
    def __init__(self):
        self.kept = []
        self.fails = False
        self.back = 0

    def keep(self, left_s):
        self.kept.append(left_s)

    def roll_back(self):
        if self.fails:
            raise OSError(28)
        self.back += 1


class Journal:
    def write(self, who, what):
        pass


def play(counted, seconds, flash):
    """Count for so many seconds."""
    before = trial.clock
    trial.clock, storage.revisions = Time(seconds), flash
    try:
        counted.run().send(None)
    except OverError:
        pass
    finally:
        trial.clock, storage.revisions = before, revisions


def start(left_s):
    restarts = []
    return trial.Trial(left_s, lambda: restarts.append(1), Journal()), restarts


def test_it_goes_back_when_the_time_is_up_and_not_before():
    for left_s in (10, 60, 600):
        flash = Flash()
        counted, restarts = start(left_s)
        play(counted, left_s - 1, flash)
        assert (flash.back, restarts) == (0, [])
        counted, restarts = start(left_s)
        play(counted, left_s + 1, flash)
        assert (flash.back, restarts) == (1, [1])


def test_what_is_left_is_noted_often_enough_and_not_too_often():
    for left_s in (10, 120, 86_400):
        flash = Flash()
        counted, _ = start(left_s)
        play(counted, left_s - 1, flash)
        assert flash.kept == sorted(flash.kept, reverse=True)
        assert 1 <= len(flash.kept) <= 25
        assert flash.kept[-1] <= max(5, left_s // 24)


def test_a_decided_trial_does_nothing():
    flash = Flash()
    counted, restarts = start(60)
    counted.left_s = 0
    play(counted, 200, flash)
    assert (flash.kept, flash.back, restarts) == ([], 0, [])


def test_a_flash_that_does_not_take_it_is_tried_again():
    flash = Flash()
    flash.fails = True
    counted, restarts = start(10)
    try:
        play(counted, 11, flash)
        raise AssertionError("it failed")
    except OSError:
        assert restarts == []
    flash.fails = False
    play(counted, 11, flash)
    assert (flash.back, restarts) == (1, [1])
