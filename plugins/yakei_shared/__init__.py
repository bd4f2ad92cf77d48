"""What the plugin and the runner agree on: the configuration's grammar, secrets, the history.

PYTEST_DONT_REWRITE: the runner has imported it before pytest comes to it.
"""
