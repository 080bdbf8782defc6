"""The board's MQTT 3.1.1 client: packets (`codec`), sockets (`link`) and the session (`client`)."""
