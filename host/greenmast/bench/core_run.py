"""What `bench core` runs under either runtime: a controller on a site that moves, timed.

Reads an order (JSON) from standard input, prints the result (JSON). Plain Python for CPython and MicroPython:
imports nothing of the host.
"""

import gc
import json
import sys
import time

from greenmast_protocol.settings import Settings

order = json.loads(sys.stdin.read())


def allocated() -> int:
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


before = allocated()
if order["linked"]:
    from greenmast_fw.resident import Snapshot  # type: ignore[import-untyped]
else:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.site import from_config
    from greenmast_fw.core.snapshot import Snapshot
loaded = allocated()
if order["linked"]:  # the image makes a controller in the module that sets up, which is then forgotten

    class Journal:
        def write(self, *words: str) -> None:
            pass

    from greenmast_fw.services import app

    controller = app.controller_of(Settings(order["params"]), order["document"], {}, Journal())  # type: ignore[arg-type]
    del app, sys.modules["greenmast_fw.services.app"]
else:
    controller = Controller(Settings(order["params"]), from_config(order["document"]))  # type: ignore[arg-type]
built = allocated()

values = order["values"]  # by point; None where nobody measures
movers = order["movers"]  # [point, low, high, step]: values that move in every scan, to and fro
feedback = order["feedback"]  # points of the contactors' feedback, in the order of the outputs
events = order["events"]  # {scan: [[point, value]..]}: what happens in the cycle
cycle = order["cycle"]
for name, args in order["commands"]:
    code, _ = controller.command(name, args)
    assert code == 0, (name, code)


def clock_us() -> int:
    return time.ticks_us() if hasattr(time, "ticks_us") else time.perf_counter_ns() // 1000


def run(steps: int, start: int) -> "tuple[int, dict[int, int]]":
    codes = bytes(len(values))
    spent_us = 0
    states: dict[int, int] = {}
    for n in range(start, start + steps):
        for change in events.get(str(n % cycle), ()):
            values[change[0]] = change[1]
        for row in movers:
            values[row[0]] += row[3]
            if not row[1] < values[row[0]] < row[2]:
                row[3] = -row[3]
        outputs = controller.decision.outputs
        for i in range(len(feedback)):
            values[feedback[i]] = outputs[i]
        snapshot = Snapshot(tuple(values), codes, order["minute"] + n // 60)
        begin = clock_us()
        decision = controller.step(snapshot, 1000)
        spent_us += clock_us() - begin
        states[controller.genset.state] = states.get(controller.genset.state, 0) + 1
        if decision.events and len(decision.events) > 50:
            raise AssertionError("events pile up")
    return spent_us, states


# In pieces of a cycle each, so that the middle one is undisturbed by what else the machine does.
run(order["warm_up"], 0)
pieces = []
states: dict[int, int] = {}
for n in range(order["warm_up"], order["warm_up"] + order["steps"], cycle):
    spent_us, seen = run(cycle, n)
    pieces.append(spent_us)
    states.update(seen)
middle_us = sorted(pieces)[len(pieces) // 2]
result = {
    "steps": len(pieces) * cycle,
    "us_per_step": middle_us / cycle,
    "steps_per_s": cycle * 1000000 // middle_us,
    "heap_code_b": loaded - before,
    "heap_objects_b": built - loaded,
    "genset_states": len(states),
}
print(json.dumps(result))
