"""What a worker's exit code tells of it."""

from __future__ import annotations

LOST_WIRE = 97
"""It can no longer report: a check closed its descriptors."""
BROKEN_WORKER = 98
"""It failed outside of any check."""
STRAY = 1
"""It is no worker, but a child that a check has forked and that came back from it: what pytest's
own loop ends with there, as a rule."""
