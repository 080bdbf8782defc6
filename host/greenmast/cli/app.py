"""The tree of commands and what all of them share: version, logging, exit codes, no stack traces.

Commands live in their own modules and import what they need when they run: `--help` stays fast.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from greenmast.cli import command, commission, configuration, device, log, look, plan, run, scenario, simulate
from greenmast.errors import REFUSED, UserError

DEBUG_VARIABLE = "GREENMAST_DEBUG"
INTERRUPTED = 130


class Commands(TyperGroup):
    """Turns what commands raise into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as e:
            typer.echo(f"greenmast: {e.message}", err=True)
            raise typer.Exit(e.exit_code) from e
        except KeyboardInterrupt as e:
            raise typer.Exit(INTERRUPTED) from e
        except BrokenPipeError as e:  # `greenmast .. | head`
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (lives until exit)
            raise typer.Exit(REFUSED) from e
        except (typer.Exit, typer.Abort):
            raise
        except Exception as e:
            if os.environ.get(DEBUG_VARIABLE) or _is_usage(e):
                raise
            typer.echo(f"greenmast: unexpected {type(e).__name__}: {e}", err=True)
            typer.echo(f"This is a defect; {DEBUG_VARIABLE}=1 shows where it comes from.", err=True)
            raise typer.Exit(REFUSED) from e


def _is_usage(error: Exception) -> bool:
    """True for the errors by which the argument parser itself complains; it prints them well."""
    return hasattr(error, "exit_code") and hasattr(error, "show")


app = typer.Typer(
    cls=Commands,
    name="greenmast",
    help="Keeps a telecom base station powered: look at a controller, run a site, prove it.",
    epilog=(
        "Exit codes: 0 done, 1 refused or not so, 2 usage, 3 no contact, 4 not authorised, 5 bad input file. "
        "Controller commands find the board by --port or --mqtt and --site, "
        "else by GREENMAST_PORT, GREENMAST_MQTT and GREENMAST_SITE."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
hub = typer.Typer(
    name="hub",
    help="The operator's side: ingest, store, web page.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

scenarios = typer.Typer(
    name="scenario",
    help="Stories of faults and commands, and whether the controller holds.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

logs = typer.Typer(
    name="log",
    help="The controller's events, kept on the board's flash.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

devices = typer.Typer(
    name="device",
    help="A laptop with an RS-485 adapter (or Modbus TCP) and one device.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

configurations = typer.Typer(
    name="config",
    help="A board's configuration, whole or not at all.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"greenmast {version('greenmast')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log more, the board's own lines too.")
    ] = False,
) -> None:
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(name)s: %(message)s", force=True)


app.command()(look.status)
app.command()(look.watch)
app.command()(look.explain)
app.command()(look.get)
app.command()(look.alarms)
app.command()(command.command)
app.command()(plan.plan)
app.command()(simulate.simulate)
app.command()(commission.commission)
app.command()(run.demo)
app.command()(run.emulate)
app.command()(run.bench)
hub.command("run")(run.hub_run)
hub.command("query")(run.hub_query)
app.add_typer(hub)
scenarios.command("run")(scenario.run)
app.add_typer(scenarios)
logs.command("pull")(log.pull)
app.add_typer(logs)
devices.command("list")(device.list_)
devices.command("probe")(device.probe)
devices.command("read")(device.read)
app.add_typer(devices)
configurations.command()(configuration.show)
configurations.command()(configuration.check)
configurations.command()(configuration.diff)
configurations.command()(configuration.apply)
configurations.command()(configuration.confirm)
configurations.command()(configuration.rollback)
configurations.command()(configuration.schema)
app.add_typer(configurations)
