"""The project that a new sandbox opens with: a folder here for each."""
