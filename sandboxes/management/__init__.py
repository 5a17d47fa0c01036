"""Commands of manage.py about sandboxes, for an operator."""
