"""REST API of the user's sandbox, one module for each resource."""
