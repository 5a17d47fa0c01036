"""Programs behind the Makefile's verbs."""
