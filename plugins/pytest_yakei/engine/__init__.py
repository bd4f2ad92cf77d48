"""Runs many checks at once: none can delay, hide or break another.

The parent collects, hands out checks, replays reports, and ends what is stuck or left behind; it
runs no check's code. A nursery forks for it. Each slot is two processes: a worker, which runs
checks, and its keeper, which adopts whatever the worker starts, and ends it if the parent is gone.
"""
