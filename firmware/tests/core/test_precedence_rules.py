"""Who decides, highest first: protection, lock-outs, command, disaster mode, plan, policy."""

from core_rig import Rig
from policy_rig import DISASTER, Desk

HOUR = 3_600
NOON = 12 * 60


def test_who_says_the_reserve_peeled_from_the_top():
    desk = Desk("tribrid")
    desk.minute = NOON
    desk.plan(expires_s=4 * HOUR, reserve=[550] * 9, charge=[0] * 9, genset=[1] * 9)
    desk.mode = DISASTER
    desk.policy.command_reserve(620, HOUR * 1_000)
    desk.run(HOUR - 10)
    assert (desk.policy.reserve, desk.keeper()) == (620, "manual")
    assert (desk.rule(), desk.policy.charge_to) == ("disaster", 1_000)
    desk.run(20)
    assert (desk.policy.reserve, desk.keeper()) == (1_000, "disaster")
    assert not desk.policy.window
    desk.mode = 0
    desk.run(HOUR)
    assert (desk.policy.reserve, desk.keeper()) == (550, "plan")
    assert (desk.rule(), desk.policy.charge_to, desk.policy.window) == ("plan", 550, True)
    desk.run(3 * HOUR)
    assert (desk.policy.reserve, desk.keeper()) == (400, "preset")
    assert (desk.rule(), desk.policy.window) == ("tariff", False)


def test_an_announced_outage_goes_before_what_a_plan_says_about_charging():
    desk = Desk().run(10).plan(charge=[0], reserve=[500])
    desk.announced = True
    desk.run(100)
    assert (desk.rule(), desk.policy.charge_to) == ("outage_planned", 1_000)
    assert desk.keeper() == "plan"


def test_everything_at_once_on_the_site_peeled_from_the_top():
    """The engine's fault over the operator, the operator over the plan, disaster mode over it, and so on."""
    rig = Rig(policy__name=2, genset__min_run_s=0)
    rig.minute = NOON
    rig.soc = 700
    rig.run(70)
    assert rig.command("plan.set", expires_s=3 * HOUR, charge=[2] * 3, reserve=[500] * 3) == "ok"
    assert rig.command("source.select", ac="grid", for_s=2 * HOUR) == "ok"
    rig.run(1_000)
    assert rig.controller.policy.carry  # the plan wishes it ..
    assert rig.is_now("source.ac") == "grid"  # .. but the operator has selected the grid
    rig.mains_ok = 0  # protection: no grid, whatever was selected
    rig.run(2)
    assert rig.is_now("grid") == 0
    assert rig.command("genset.start", for_s=600) == "ok"
    rig.until("source.ac", "genset", 200)
    rig.genset_fault = 3  # lock-out over the command
    rig.until("genset.state", "locked_out", 100)
    assert rig.command("genset.start", for_s=600) != "ok"
    rig.genset_fault = 0
    rig.mains_ok = 1
    rig.until("source.ac", "grid", 200)
    rig.run(1_000)
    assert rig.is_now("source.ac") == "grid"
    rig.controller.source.select_ms = 1  # the operator's selection ends: now the plan
    rig.until("source.ac", "none", 20)
    assert rig.reason("ac") == "plan"
    assert rig.command("mode.set", mode="disaster", for_s=600) == "ok"  # disaster over plan
    rig.until("source.ac", "grid", 20)
    assert rig.is_now("battery.reserve_permille") == 1_000
    assert rig.command("reserve.set", permille=300, for_s=60) == "ok"  # command over disaster
    rig.run(2)
    assert rig.is_now("battery.reserve_permille") == 300
    rig.run(62)
    assert rig.is_now("battery.reserve_permille") == 1_000
    rig.run(600)
    assert rig.is_now("controller.mode") == 0
    assert rig.is_now("battery.reserve_permille") < 1_000


def test_a_command_or_a_plan_has_its_whole_time_whenever_it_comes():
    for seconds in range(100, 106):
        desk = Desk().run(seconds)
        desk.policy.command_reserve(800, 3_000)
        desk.run(2)
        assert desk.policy.reserve == 800, seconds
        desk = Desk().run(seconds).plan(expires_s=60, charge=[0])
        desk.run(59)
        assert desk.rule() == "plan", seconds
        desk.run(6)
        assert desk.rule() == "ac_charges", seconds


def test_a_commanded_reserve_acts_at_once_expires_and_survives_a_reset():
    rig = Rig().run(70)
    code, applied = rig.controller.command("reserve.set", {"permille": 800, "for_s": 600})
    assert (code, applied) == (0, {"permille": 800, "for_s": 600})
    rig.run(1)
    assert rig.is_now("battery.reserve_permille") == 800
    rig.run(300)
    rig.reset()
    rig.run(5)
    assert rig.is_now("battery.reserve_permille") == 800
    rig.run(300)
    assert 780 <= rig.is_now("battery.reserve_permille") < 800
    rig.run(1_300)
    assert rig.is_now("battery.reserve_permille") == 400
