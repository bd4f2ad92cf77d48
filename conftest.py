"""Registers the plugin in a bare clone; an installed copy registers itself."""

pytest_plugins = ["pytest_yakei.plugin"]
