"""The REST API of one's own sandbox, one module a resource."""
