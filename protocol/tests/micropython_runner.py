"""Runs the `test_*` functions of plain test modules; made for MicroPython, where no test framework is needed.

    micropython micropython_runner.py FILE.py ..

Prints every failure and at last `RAN n FAILED m`: whoever starts it must compare n with what it expected,
since a module that defines nothing fails nothing.
"""

import sys


def run_module(path: str) -> "tuple[int, int]":
    """Import the module at `path` and call its tests, in the order of their names. Returns (run, failed)."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder or ".")
    module = __import__(name[: -len(".py")])
    sys.path.pop(0)
    failed = 0
    names = sorted([n for n in dir(module) if n.startswith("test_")])
    for test in names:
        try:
            getattr(module, test)()
        except Exception as e:  # noqa: BLE001 (whatever a test raises is its failure)
            failed += 1
            print("FAILED %s %s" % (path, test))
            _print_exception(e)
    return len(names), failed


def _print_exception(e: Exception) -> None:
    if hasattr(sys, "print_exception"):
        sys.print_exception(e, sys.stdout)
    else:
        sys.excepthook(type(e), e, e.__traceback__)


def main(paths: "list[str]") -> int:
    ran = failed = 0
    for path in paths:
        module_ran, module_failed = run_module(path)
        ran += module_ran
        failed += module_failed
    print("RAN %d FAILED %d" % (ran, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
