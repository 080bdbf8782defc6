"""`python -m greenmast` is the command `greenmast`."""

from greenmast.cli import main

main()
