"""A Modbus master for a laptop: one request at a time, over a serial adapter, TCP or the board's own bus."""
