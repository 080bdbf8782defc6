"""Putting a site into service: prove on the spot that the board sees what is there and switches it."""
