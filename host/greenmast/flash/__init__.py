"""Firmware as it goes onto a board: compiled modules, configuration, file system image."""
