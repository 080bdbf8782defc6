"""Many cases on any executor: resumed where a run is there already, with progress, stopped without loss.

Owns files of finished runs and the order in which results come. Must not know what a run is inside: the
modules that are compiled are imported by the workers alone.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from greenmast.errors import UserError
from greenmast.simulate import native, worker
from greenmast.simulate.case import Case

if TYPE_CHECKING:
    from greenmast.simulate.result import Result

Tell = Callable[[int, int, "Result | None"], None]


def run_all(
    cases: Sequence[Case],
    *,
    jobs: int | None = None,
    dask: str | None = None,
    keep: Path | None = None,
    tell: Tell = lambda done, count, result: None,
) -> list[Result]:
    """The results of `cases`, in their order; `tell(done, of, the newest)` after each.

    `keep`: a folder in which finished runs lie, and are found again. `dask`: a cluster's scheduler in place
    of `jobs` processes here. Raises the first error of a case; what has finished is kept.
    """
    from greenmast.simulate import result as results

    found: dict[int, Result] = {}
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for n, case in enumerate(cases):
            path = keep / name_of(case)
            if path.exists():
                found[n] = results.load(path)
    done = len(found)
    tell(done, len(cases), None)
    missing = [n for n in range(len(cases)) if n not in found]
    if not missing:
        return [found[n] for n in range(len(cases))]
    executor = _executor(min(jobs or os.cpu_count() or 1, len(missing)), dask)
    try:
        futures: dict[Future[str], int] = {}
        for n in missing:
            futures[executor.submit(worker.work, cases[n].document())] = n
        for future in as_completed(futures):
            n = futures[future]
            found[n] = results.loads(future.result())
            if keep is not None:
                results.save(found[n], keep / name_of(cases[n]))
            done += 1
            tell(done, len(cases), found[n])
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()
    return [found[n] for n in range(len(cases))]


def name_of(case: Case) -> str:
    """File name of the finished run: whatever could change it is in it."""
    document = case.document()
    for key in ("site", "weather", "load"):
        path = Path(document[key] or "")
        if path.is_file():
            document[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256(json.dumps([document, native.key()], sort_keys=True).encode()).hexdigest()[:16]
    return f"{Path(case.site).stem}-{case.controller}-{case.seed}-{digest}.json"


def _executor(jobs: int, dask: str | None) -> Executor:
    if dask is None:
        # Not forked: a worker imports the compiled modules, which this process may have as they are.
        return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    if find_spec("distributed") is None:
        raise UserError("a Dask cluster needs the package distributed: pip install distributed")
    from distributed import Client

    pool: Executor = Client(dask).get_executor()
    return pool
