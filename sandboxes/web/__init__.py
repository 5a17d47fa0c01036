"""Pages of the user's sandbox."""
