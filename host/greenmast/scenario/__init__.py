"""Scenarios: a story of faults and commands on a site, what must come of it, and whether it did.

`document` reads a file, `core_level` and `hil_level` play it, `judge` compares, `run` is the command.
"""
