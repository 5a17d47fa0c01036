"""The worker: makes rows and real sandboxes agree."""
