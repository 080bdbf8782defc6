"""The command line. `main` is the `greenmast` command."""

from __future__ import annotations


def main() -> None:
    """Run the command that the arguments name; exits with its code."""
    from greenmast.cli.app import app

    app()
