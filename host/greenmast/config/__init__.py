"""A board's configuration: judged, compared, applied as a whole or not at all."""
