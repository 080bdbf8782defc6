"""The commands `config ..`: what is printed, and exit codes."""

from __future__ import annotations

import json
from typing import Any

import typer

from greenmast.config import difference, problems, schema, source, transaction
from greenmast.config.difference import Change
from greenmast.config.transaction import OpenLink
from greenmast.errors import BAD_INPUT_FILE, DONE
from greenmast_protocol import param_text, params


def show(open_link: OpenLink, *, json_output: bool) -> int:
    """What is in force. As JSON it is the document that `apply` takes back when it has been changed."""
    with open_link() as link:
        link.hello()
        document: dict[str, Any] = link.call("config.get")
    if json_output:
        typer.echo(source.compact(document).decode() if document else "{}")
        return DONE
    for line in _sheet(document):
        typer.echo(line)
    return DONE


def check(file: str, *, json_output: bool) -> int:
    """Every reason against `file`. Exit code 5 when there is one."""
    found = problems.of(file)
    if json_output:
        rows = [problem.document() for problem in found]
        _print_json({"file": file, "accepted": not found, "problems": rows})
    elif not found:
        typer.echo(f"{file}: accepted")
    for problem in [] if json_output else found:
        where = f"{file}:{problem.line}" if problem.line else file
        typer.echo(f"{where}: {problem.place}: {problem.text}")
        if problem.remedy:
            typer.echo(f"    {problem.remedy}")
    return BAD_INPUT_FILE if found else DONE


def diff(open_link: OpenLink, file: str, *, json_output: bool) -> int:
    """What `apply` would change on the board."""
    wanted = source.read(file)
    with open_link() as link:
        link.hello()
        stored: dict[str, Any] = link.call("config.get")
    revision = int(stored.get("revision", 0))
    changes = difference.between(stored, wanted.document(revision + 1))
    if json_output:
        _print_json({"revision": revision, "changes": [change.document() for change in changes]})
    else:
        _tell_changes(changes)
    return DONE


def apply(
    open_link: OpenLink, file: str, *, within_s: float | None, other_site: bool, json_output: bool
) -> int:
    """Make `file` the board's configuration; with `within_s` somebody else confirms it in that time."""
    wanted = source.read(file)
    done = transaction.apply(
        open_link,
        wanted,
        within_s=round(within_s) if within_s else transaction.CONFIRM_WITHIN_S,
        confirm=within_s is None,
        other_site=other_site,
        tell=lambda line: None if json_output else typer.echo(line),
    )
    if json_output:
        _print_json(done.document())
        return DONE
    _tell_changes(done.changes)
    if not done.confirmed:
        typer.echo(
            f"revision {done.revision} is on trial: within {done.confirm_within_s} s write "
            "`greenmast config confirm`, or it goes back by itself; `greenmast config rollback` does so now"
        )
    elif done.changes:
        typer.echo(f"revision {done.revision} is confirmed")
    return DONE


def confirm(open_link: OpenLink, *, json_output: bool) -> int:
    """Keep the configuration on trial."""
    with open_link() as link:
        link.hello()
        done = transaction.confirm(link)
    if json_output:
        _print_json(done)
    else:
        before = "" if done["was_on_trial"] else " already"
        typer.echo(f"revision {done['revision']} is{before} confirmed")
    return DONE


def rollback(open_link: OpenLink, *, json_output: bool) -> int:
    """Back to the revision before."""
    with open_link() as link:
        link.hello()
        done = transaction.roll_back(link)
    if json_output:
        _print_json(done)
    else:
        typer.echo(f"from revision {done['from']} back to {done['revision']}; the board restarts with it")
    return DONE


def print_schema() -> int:
    """The JSON Schema of a site file."""
    typer.echo(json.dumps(schema.build(), indent=2, ensure_ascii=False))
    return DONE


def _sheet(document: dict[str, Any]) -> list[str]:
    """The document for people: parts as they are, parameters where they differ from the defaults."""
    if not document:
        return ["no configuration: the board is in safe mode"]
    about = document["site"]
    lines = [f"site {about['id']} ({about['name']}), board {about['board']}, revision {document['revision']}"]
    parts = difference.between({}, document | {"site": {}, "params": {}})
    lines += [f"{part.name:<28} {part.becomes}" for part in parts]
    defaults = params.defaults()
    for name, value in document.get("params", {}).items():
        if value != defaults.get(name):
            text = difference.shown(name, value)
            default = difference.shown(name, defaults.get(name))
            lines.append(f"{name:<28} {text:<14} default {default}: {param_text.TEXTS.get(name, '')}")
    return lines


def _tell_changes(changes: list[Change]) -> None:
    if not changes:
        typer.echo("nothing changes: the board has this configuration")
    for change in changes:
        effect = f"   {change.effect}" if change.effect else ""
        typer.echo(f"{change.name:<28} {change.was} -> {change.becomes}{effect}")


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
