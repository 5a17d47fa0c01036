"""A local stand-in for Blaxel: speaks its HTTP API, runs sandboxes as confined processes."""
