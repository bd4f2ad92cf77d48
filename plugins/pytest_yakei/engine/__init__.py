"""Runs many checks at once: none can delay, hide or break another.

The parent collects, forks, hands out checks and replays reports; it runs no check's code. Each
slot is two processes: a worker, which runs checks, and its keeper, which outlives the worker,
tells how it ended, and ends whatever it started.
"""
