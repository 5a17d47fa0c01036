"""The API server that runs inside each sandbox and does what its clients ask."""
