"""Mutation of the core: which changes of a module would its rule tests not notice?

    python firmware/tests/mutate.py [module ...]

Lays out a temporary folder (mutmut wants the package beside its tests), lets mutmut change one thing at a
time in each module, and prints the counts and every survivor. docs/mutation.md says of each why it stays.
Exit status 1: a module has more survivors than that document accounts for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "firmware" / "tests" / "core"
ACCOUNT = ROOT / "docs" / "mutation.md"
RIG = ("conftest.py", "core_rig.py")

# The rule tests that have to notice a change, by module.
NOTICED_BY = {
    "protection": ("test_protection_rules.py",),
    "source": ("test_source_alone_rules.py",),
    "genset": ("test_genset_alone_rules.py",),
}
SETTINGS = """
[tool.mutmut]
source_paths = ["greenmast_fw/core/{module}.py"]
also_copy = ["greenmast_fw", "greenmast_protocol", "tests"]
pytest_add_cli_args_test_selection = ["tests"]
[tool.pytest.ini_options]
addopts = ["-p", "no:cacheprovider"]
"""
RESULT = re.compile(r"^\s*(\S+__mutmut_\d+): (.+)$", re.MULTILINE)


def lay_out(folder: Path, module: str) -> None:
    """What mutmut needs, and nothing that it should not see."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "firmware" / "greenmast_fw", folder / "greenmast_fw", ignore=skip)
    shutil.copytree(ROOT / "protocol" / "greenmast_protocol", folder / "greenmast_protocol", ignore=skip)
    (folder / "tests").mkdir()
    for name in RIG + NOTICED_BY[module]:
        shutil.copy(TESTS / name, folder / "tests" / name)
    (folder / "pyproject.toml").write_text(SETTINGS.format(module=module), encoding="utf-8")


def mutmut(folder: Path, *args: str) -> str:
    """Output of a mutmut command. Its progress display is for a terminal, so it gets none."""
    command = [sys.executable, "-m", "mutmut", *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mutmut {' '.join(args)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def accounted(module: str) -> int:
    """Survivors of `module` that the document explains: the rows of its table."""
    text = ACCOUNT.read_text(encoding="utf-8")
    section = re.search(rf"^## {module}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return len(re.findall(r"^\| `", section[1], re.MULTILINE)) if section else 0


def mutate(module: str) -> bool:
    """Run and report one module. Returns whether the document accounts for every survivor."""
    with tempfile.TemporaryDirectory(prefix="greenmast-mutate-") as name:
        folder = Path(name)
        lay_out(folder, module)
        mutmut(folder, "run")
        fates = RESULT.findall(mutmut(folder, "results", "--all", "true"))
        count = Counter(fate for _, fate in fates)
        survivors = [mutant for mutant, fate in fates if fate not in {"killed", "timeout"}]
        print(
            f"{module}: {len(fates)} mutants, "
            + ", ".join(f"{n} {fate}" for fate, n in sorted(count.items()))
        )
        for mutant in survivors:
            print(mutmut(folder, "show", mutant))
    known = accounted(module)
    print(f"{module}: {len(survivors)} survivors, {known} accounted for in {ACCOUNT.relative_to(ROOT)}\n")
    return bool(fates) and len(survivors) <= known


def main() -> None:
    modules = sys.argv[1:] or list(NOTICED_BY)
    unknown = [module for module in modules if module not in NOTICED_BY]
    if unknown:
        sys.exit(f"No rule tests are named for {', '.join(unknown)}; known are {', '.join(NOTICED_BY)}")
    fine = [mutate(module) for module in modules]
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
