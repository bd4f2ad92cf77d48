"""Probes: library code that asks the world; judging is left to the check."""
