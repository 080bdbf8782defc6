"""A transaction with a board: staged, committed, seen to work, confirmed. Or none of it.

Owns the order of steps on the host's side and what counts as healthy. Each step may be asked again when its
answer is lost: the board does it once. Until the confirmation the board goes back by itself.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greenmast.config import difference, source
from greenmast.config.difference import Change
from greenmast.config.source import Source
from greenmast.errors import USAGE, UserError
from greenmast.link import reading
from greenmast.link.base import Link, NoContactError, RefusedError
from greenmast_protocol import params

OpenLink = Callable[[], Link]
Tell = Callable[[str], None]

CONFIRM_WITHIN_S = 120
_STEP_TRIES = 3
_BACK_WITHIN_S = 60.0
_HEALTHY_WITHIN_S = 10.0  # beside the time that the scans take
_SCANS = 3
_PAUSE_S = 0.3


@dataclass(frozen=True)
class Applied:
    """What has become of it. `confirmed` is False while the board waits for a confirmation."""

    revision: int
    confirmed: bool
    changes: list[Change]
    confirm_within_s: int = 0

    def document(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "confirmed": self.confirmed,
            "confirm_within_s": self.confirm_within_s,
            "changes": [change.document() for change in self.changes],
        }


def apply(
    open_link: OpenLink,
    wanted: Source,
    *,
    within_s: int = CONFIRM_WITHIN_S,
    confirm: bool = True,
    other_site: bool = False,
    tell: Tell = lambda line: None,
) -> Applied:
    """Make `wanted` the board's configuration; without `confirm` it stays on trial for `within_s`.

    Raises UserError with the reason when the board refuses it, does not come back with it or does not run;
    in each case it keeps or gets back what it had.
    """
    with open_link() as link:
        hello = link.hello()
        now = status(link)
        if now["confirm_s"]:
            raise UserError(
                f"revision {now['revision']} is on trial: first `greenmast config confirm` or `rollback`"
            )
        stored: dict[str, Any] = link.call("config.get")
        document = wanted.document(int(now["next"]))
        _check(wanted, document, stored, now, other_site)
        changes = difference.between(stored, document)
        if stored and not changes:
            return Applied(int(now["revision"]), True, [])
        body = source.compact(document)
        crc = _stage(link, body)
        tell(f"staged {len(body)} bytes")
        commit = {"revision": now["revision"], "confirm_within_s": within_s, "crc": crc}
        revision = int(_step(link, "config.commit", commit)["revision"])
        tell(f"revision {revision} committed, on trial for {within_s} s; the board restarts")
    period_s = params.complete(document["params"])["scan.period_ms"] / 1000
    _see_it_run(open_link, hello.get("boot"), revision, period_s)
    tell(f"the board is back and runs with revision {revision}")
    if confirm:
        with open_link() as link:
            link.hello()
            _step(link, "config.confirm", {"revision": revision})
    return Applied(revision, confirm, changes, 0 if confirm else within_s)


def status(link: Link) -> dict[str, Any]:
    """{"revision": in force, "next": for another, "confirm_s": of a trial, "refused": [[place, text]]}."""
    told: dict[str, Any] = link.call("config.get", {"status": True})
    return told


def confirm(link: Link) -> dict[str, Any]:
    """Keep what is on trial: {"revision", "was_on_trial"}."""
    now = status(link)
    _step(link, "config.confirm", {"revision": now["revision"]})
    return {"revision": now["revision"], "was_on_trial": bool(now["confirm_s"])}


def roll_back(link: Link) -> dict[str, Any]:
    """To the revision before: {"revision", "from"}. The board restarts with it."""
    now = status(link)
    answer = _step(link, "config.rollback", {"revision": now["revision"]})
    return {"revision": answer["revision"], "from": now["revision"]}


def _check(
    wanted: Source,
    document: dict[str, Any],
    stored: dict[str, Any],
    now: dict[str, Any],
    other_site: bool,
) -> None:
    if wanted.made_from is not None and wanted.made_from != now["revision"]:
        raise RefusedError(
            "revision_conflict",
            f"{wanted.label} was made from revision {wanted.made_from}, and the board has {now['revision']}: "
            "take what it has with `greenmast config show --json` and change that",
        )
    mine, its = document["site"]["id"], stored.get("site", {}).get("id")
    if its is not None and mine != its and not other_site:
        raise UserError(
            f"{wanted.label} is for site {mine}, and this is the board of {its}: "
            "give --other-site if it is to become that",
            USAGE,
        )


def _stage(link: Link, body: bytes) -> int:
    """The CRC-32 under which the board has `body`, in a file of its own."""
    crc = binascii.crc32(body)
    at = 0
    for _ in range(3 * (len(body) // link.stage_bytes + 1)):
        data = base64.b64encode(body[at : at + link.stage_bytes]).decode()
        answer = _step(link, "config.stage", {"offset": at, "total": len(body), "crc": crc, "data": data})
        at = int(answer["offset"])
        if at >= len(body):
            return crc
    raise UserError(f"{link.name} does not keep what is staged: its flash may be full")


def _step(link: Link, method: str, step: dict[str, Any]) -> dict[str, Any]:
    """The answer, asked for again when it is lost or the board had no room. Tells reasons of a refusal."""
    for tried in range(1, _STEP_TRIES + 1):
        try:
            return dict(link.call(method, step))
        except NoContactError:
            if tried == _STEP_TRIES:
                raise
        except RefusedError as error:
            if error.code == "internal" and tried < _STEP_TRIES:
                time.sleep(_PAUSE_S)  # as a rule its heap was too full for a moment
                continue
            reasons = error.data.get("problems") if isinstance(error.data, dict) else None
            if not reasons:
                raise
            raise UserError(
                _listed(f"{link.name} refuses it, nothing is applied", reasons), error.exit_code
            ) from None
    raise AssertionError("unreachable")


def _see_it_run(open_link: OpenLink, boot: object, revision: int, period_s: float) -> None:
    """Wait until the board is back with `revision` and scans. Raises UserError when it is or does not."""
    deadline = time.monotonic() + _BACK_WITHIN_S
    seen = "it does not answer; without a confirmation it goes back by itself"
    while time.monotonic() < deadline:
        with contextlib.suppress(NoContactError), open_link() as link:
            hello = link.hello()
            if hello.get("boot") != boot:
                _check_revision(link, hello, revision)
                until = time.monotonic() + _SCANS * period_s + _HEALTHY_WITHIN_S
                while time.monotonic() < until:
                    if _is_healthy(link):
                        return
                    time.sleep(_PAUSE_S)
                _step(link, "config.rollback", {"revision": revision})
                raise UserError(f"the board does not run with revision {revision}: it goes back")
            seen = "it has not restarted"
        time.sleep(_PAUSE_S)
    raise NoContactError(f"the board is not back after {_BACK_WITHIN_S:.0f} s: {seen}")


def _check_revision(link: Link, hello: dict[str, Any], revision: int) -> None:
    if hello.get("revision") == revision:
        return
    refused = status(link).get("refused") or []
    text = f"the board could not use revision {revision} and has gone back to {hello.get('revision')}"
    raise UserError(_listed(text, refused))


def _is_healthy(link: Link) -> bool:
    scans = link.call("hello", {"statistics": True})["statistics"].get("scans", 0)
    return scans >= _SCANS and reading.get(link, ["controller.safe_mode"]).values["controller.safe_mode"] == 0


def _listed(text: str, reasons: list[list[str]]) -> str:
    return "\n".join([text, *(f"  {place}: {reason}" for place, reason in reasons)])
