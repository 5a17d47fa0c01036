"""Settings, addresses and the ASGI routing table: wires all the other packages."""
