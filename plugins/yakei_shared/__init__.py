"""What the plugin and the runner agree on: the configuration's grammar, secrets, the history."""
