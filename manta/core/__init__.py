"""Plumbing without models, which every package may use and which imports none of them."""
