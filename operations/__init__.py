"""The tools of an operator: failures, metrics, health, doctor, backup."""
