"""Checks of everything that Manta needs, one after the other, each with its time and verdict."""
