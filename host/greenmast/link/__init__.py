"""Links from a host to a board: serial and MQTT, one way to ask on both."""
