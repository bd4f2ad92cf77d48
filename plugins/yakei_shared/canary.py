"""What the plugin and the runner know of the canary: the check that fails in each run."""

from __future__ import annotations

CANARY = "yakei::canary"
"""Its id."""
SONG = "the canary is seen to fail, as it does in each run"
"""The text that it fails with: it has to arrive with the failure."""
