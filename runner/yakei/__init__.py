"""The runner: called by cron, silent while all is well, heard when it is not."""

__version__ = "0.1.0"
