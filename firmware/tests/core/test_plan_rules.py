"""A plan from the host: hours, what each says, expiry, memory."""

from core_rig import Rig
from policy_rig import Desk

from greenmast_protocol import show

HOUR = 3_600
NOON = 12 * 60


def _hours(desk, count):
    """(reserve target, charge_to, carry, window, ration) in the middle of each hour from now."""
    out = []
    for _ in range(count):
        desk.run(HOUR // 2, 10_000)
        p = desk.policy
        out.append((p.keeper.target, p.charge_to, desk.carries(), p.window, p.ration != 0))
        desk.run(HOUR // 2, 10_000)
    return out


def test_each_hour_counts_from_receipt_without_a_clock():
    desk = Desk().run(1_000).plan(reserve=[500, 600, 700])
    assert [row[0] for row in _hours(desk, 4)] == [500, 600, 700, 400]
    assert desk.policy.stale == 0


def test_a_plan_may_begin_later():
    desk = Desk().run(10).plan(start_in_s=2 * HOUR, reserve=[500, 600])
    assert [row[0] for row in _hours(desk, 5)] == [400, 400, 500, 600, 400]


def test_charging_may_be_forbidden_allowed_or_replaced_by_the_battery():
    desk = Desk().run(1_000).plan(charge=[0, 1, 2])
    rows = _hours(desk, 4)
    assert [row[1] for row in rows] == [400, 1_000, 400, 1_000]
    assert [row[2] for row in rows] == ["", "", "plan", ""]


def test_the_genset_may_be_asked_to_run_or_be_spared():
    desk = Desk().run(10).plan(genset=[0, 1, 2])
    rows = _hours(desk, 4)
    assert [row[3] for row in rows] == [False, True, False, False]
    assert [row[4] for row in rows] == [False, False, True, False]


def test_what_a_plan_does_not_mention_is_left_to_the_policy():
    desk = Desk("tribrid", genset__window_start_min=NOON, genset__window_end_min=NOON + 600)
    desk.minute = NOON
    desk.run(1_000).plan(reserve=[500], genset=[0])
    desk.run(600)
    assert desk.policy.keeper.target == 500
    assert desk.carries() == "tariff"
    assert desk.policy.window
    desk.plan(charge=[1], genset=[2])
    desk.run(600)
    assert desk.policy.keeper.target == 400
    assert desk.policy.charge_to == 1_000
    assert not desk.carries()
    assert not desk.policy.window


def test_lists_of_any_length_up_to_a_week_keep_their_hours():
    reserve = [i % 1_001 for i in range(0, 168 * 7, 7)]
    desk = Desk().run(10).plan(expires_s=604_800, reserve=reserve, charge=[0], genset=[1, 2])
    seen = []
    for _ in range(168):
        desk.run(60, 60_000)
        seen.append(desk.policy.keeper.target)
        desk.run(HOUR - 60, 60_000)
    assert seen[:167] == reserve[:167]  # the last hour ends with the plan
    assert desk.policy.stale == 1


def test_the_plan_survives_a_reset_and_goes_on_where_it_was():
    desk = Desk().run(10).plan(start_in_s=600, reserve=[500, 600], charge=[0, 1], genset=[2])
    desk.run(600 + HOUR // 2)
    kept = desk.policy.memory()
    assert len([v for v in kept if not 0 <= v < 2**30]) == 0
    again = Desk(memory=kept).run(10)
    assert (again.policy.keeper.target, again.policy.charge_to) == (500, again.policy.reserve)
    assert again.policy.ration
    again.run(HOUR // 2)
    assert (again.policy.keeper.target, again.policy.charge_to) == (600, 1_000)


def test_memory_of_a_plan_is_bounded():
    desk = Desk().plan(expires_s=604_800, reserve=[1] * 168, charge=[1] * 168, genset=[1] * 168)
    assert len(desk.policy.memory()) <= 14 + 171


def test_a_new_plan_replaces_the_one_before_and_one_without_lists_withdraws_it():
    desk = Desk().run(10).plan(reserve=[500] * 5)
    desk.run(100).plan(charge=[0])
    desk.run(100)
    assert (desk.policy.keeper.target, desk.rule()) == (400, "plan")
    desk.plan()
    desk.run(100)
    assert desk.rule() == "ac_charges"
    desk.run(2 * 86_400, 60_000)
    assert desk.policy.stale == 0


# ---- expiry ----------------------------------------------------------------------------------------


def test_a_stale_plan_means_policy_alone():
    desk = Desk().run(1_000).plan(expires_s=2 * HOUR, reserve=[600] * 10, charge=[2] * 10, genset=[1] * 10)
    desk.run(HOUR)
    assert (desk.policy.reserve, desk.carries(), desk.policy.window) == (600, "plan", True)
    desk.run(2 * HOUR)
    assert (desk.policy.reserve, desk.policy.charge_to) == (400, 1_000)
    assert (desk.carries(), desk.policy.window, desk.rule()) == ("", False, "ac_charges")


def test_expiry_makes_no_bump():
    desk = Desk().run(1_000).plan(expires_s=HOUR, reserve=[200] * 2, charge=[2] * 2, genset=[1] * 2)
    desk.soc = 300
    desk.run(HOUR - 2)
    assert (desk.policy.reserve, desk.carries(), desk.policy.window) == (200, "plan", True)
    reserve = 200
    for second in range(50):
        desk.run(1)
        assert (desk.carries(), desk.policy.window) == ("plan", True), second
        assert 0 <= desk.policy.reserve - reserve <= 3
        reserve = desk.policy.reserve
    assert desk.policy.stale == 1
    desk.run(20)
    assert (desk.carries(), desk.policy.window) == ("", False)


def test_the_reserve_moves_by_twenty_permille_a_minute():
    desk = Desk().run(1_000).plan(reserve=[600])
    desk.run(60)
    assert 410 <= desk.policy.reserve <= 430
    desk.run(570)
    assert desk.policy.reserve == 600


def _site():
    rig = Rig().run(70)
    rig.soc = 700
    return rig


def test_expiry_switches_nothing_in_its_scan_and_alarms_once():
    rig = _site()
    rig.run(900)
    assert rig.command("plan.set", expires_s=HOUR, charge=[2] * 2, reserve=[500] * 2) == "ok"
    rig.until("source.ac", "none", 100)
    rig.until("controller.alarms_active", 0, 200)
    raised = 0
    for _ in range(HOUR + 600):
        rig.events.clear()
        rig.scan()
        alarms = [e for e in rig.events if e[1] == 6]
        raised += len(alarms)
        if alarms:
            assert rig.alarms() == ["plan_stale"]
            assert [e for e in rig.events if e[1] == 0] == [e for e in rig.events if e[1] == 0 and e[2] > 8]
    assert raised == 1
    assert rig.is_now("source.ac") == "grid"
    assert rig.command("plan.set", expires_s=HOUR, charge=[1]) == "ok"
    rig.run(10)
    assert "plan_stale" not in rig.alarms()


def test_a_stale_plan_stays_known_over_a_reset():
    rig = _site()
    rig.command("plan.set", expires_s=60, charge=[1])
    rig.run(70)
    assert rig.alarms() == ["plan_stale"]
    rig.reset()
    rig.run(10)
    assert "plan_stale" in rig.alarms()
    assert [e for e in rig.events if e[1] == 6 and e[3] == 1][1:] == []


def test_the_plan_in_force_is_explained():
    rig = _site()
    code, applied = rig.controller.command(
        "plan.set", {"expires_s": HOUR, "charge": [0], "reserve": [500, 1]}
    )
    assert (code, applied) == (0, {"expires_s": HOUR, "hours": 2})
    rig.run(20)
    text = "\n".join([show.explanation(row) for row in rig.controller.explain()])
    assert "policy weak-grid: as the plan says; next: next hour of the plan in 59 min" in text
    assert "%: as the plan says; next: 50.0 % in 4 min" in text
    rig.run(600)
    text = "\n".join([show.explanation(row) for row in rig.controller.explain()])
    assert "reserve 50.0 %: as the plan says; next: next hour of the plan in 49 min" in text
