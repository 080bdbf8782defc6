"""What a configuration is made from: a site file, or a document as `greenmast config show --json` prints it.

Owns reading both and every reason against them. Knows no board.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenmast import site as sites
from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.site import NotAcceptedError
from greenmast_protocol import config, strict_json


@dataclass(frozen=True)
class Source:
    """A configuration that has been accepted.

    `document(revision)` is what a board stores. `made_from`: the revision that a document says it is; None
    for a site file.
    """

    label: str
    document: Callable[[int], dict[str, Any]]
    made_from: int | None = None


def read(name_or_path: str) -> Source:
    """Raises NotAcceptedError with every reason, UserError where there is no file to judge."""
    if name_or_path.endswith(".json"):
        return _of_document(Path(name_or_path))
    site = sites.load(name_or_path)
    source = Source(name_or_path, lambda revision: site.board_config(revision=revision))
    _check_length(source)
    return source


def compact(document: dict[str, Any]) -> bytes:
    """The bytes that a board stores: they begin with schema and revision, without spaces."""
    head = {"schema": document["schema"], "revision": document["revision"]}
    return strict_json.dumps(head | document)


def _of_document(path: Path) -> Source:
    try:
        if path.stat().st_size > 10 * config.DOCUMENT_MAX:
            reason = f"{path.stat().st_size} bytes: a board takes {config.DOCUMENT_MAX}"
            raise NotAcceptedError(str(path), [reason])
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}", BAD_INPUT_FILE) from None
    try:
        document: Any = strict_json.loads(data)
    except ValueError as error:
        raise NotAcceptedError(str(path), [_explained(data, error)]) from None
    reasons = [f"{place}: {text}" for place, text in config.problems(document)]
    revision = document.get("revision") if isinstance(document, dict) else None
    if not reasons and (isinstance(revision, bool) or not isinstance(revision, int) or revision < 1):
        reasons.append("revision: must be the number of the revision that this was made from")
    if reasons:
        raise NotAcceptedError(str(path), reasons)
    source = Source(str(path), lambda number: document | {"revision": number}, revision)
    _check_length(source)
    return source


def _check_length(source: Source) -> None:
    length = len(compact(source.document(config.REVISION_MAX)))
    if length > config.DOCUMENT_MAX:
        raise NotAcceptedError(
            source.label, [f"{length} bytes as the board's document: it takes {config.DOCUMENT_MAX}"]
        )


def _explained(data: bytes, error: ValueError) -> str:
    """Why it is no document, with its line."""
    if not data.strip():
        return "it is empty"
    if data[:3] == b"\xef\xbb\xbf":
        return "it begins with a byte order mark: save it as UTF-8 without one"
    _, _, number = str(error).rpartition(" ")
    if not number.isdigit():
        return f"not valid JSON: {error}"
    line = data[: int(number)].count(b"\n") + 1
    return (
        f"not valid JSON, or one that means different things to different readers: {error} (at line {line})"
    )
