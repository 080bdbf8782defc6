"""The countdown of a configuration on trial."""

from greenmast_fw import storage
from greenmast_fw.services import trial
from greenmast_fw.storage import revisions

CLOCK = trial.clock


class Time:
    """Ticks of 200 ms."""

    now_ms = 0

    def ticks_ms(self):
        return self.now_ms

    def diff(self, a, b):
        return a - b

    def add(self, a, b):
        return a + b


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


def start(left_s):
    restarts = []
    time = trial.clock = Time()
    counted = trial.Trial(left_s, lambda: restarts.append(1), Journal())
    return counted, time, restarts


def play(counted, time, seconds, flash):
    """Count for so many seconds."""
    trial.clock, storage.revisions = time, flash
    try:
        for _ in range(5 * seconds):
            time.now_ms += 200
            counted.tick()
    finally:
        trial.clock, storage.revisions = CLOCK, revisions


def test_it_goes_back_when_the_time_is_up_and_not_before():
    for left_s in (10, 60, 600):
        flash = Flash()
        counted, time, restarts = start(left_s)
        play(counted, time, left_s - 1, flash)
        assert (flash.back, restarts) == (0, [])
        counted, time, restarts = start(left_s)
        play(counted, time, left_s + 1, flash)
        assert (flash.back, restarts) == (1, [1])


def test_what_is_left_is_noted_often_enough_and_not_too_often():
    for left_s in (10, 120, 86_400):
        flash = Flash()
        counted, time, _ = start(left_s)
        play(counted, time, left_s - 1, flash)
        assert flash.kept == sorted(flash.kept, reverse=True)
        assert 1 <= len(flash.kept) <= 25
        assert flash.kept[-1] <= max(5, left_s // 24)


def test_a_decided_trial_does_nothing():
    flash = Flash()
    counted, time, restarts = start(60)
    counted.left_s = 0
    play(counted, time, 200, flash)
    assert (flash.kept, flash.back, restarts) == ([], 0, [])


def test_a_flash_that_does_not_take_it_is_asked_again():
    flash = Flash()
    flash.fails = True
    counted, time, restarts = start(10)
    play(counted, time, 11, flash)
    assert (flash.back, restarts) == (0, [])
    flash.fails = False
    play(counted, time, 1, flash)
    assert (flash.back, restarts) == (1, [1])
