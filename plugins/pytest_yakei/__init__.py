"""The pytest plugin: checks share the application's configuration and get probes as fixtures.

PYTEST_DONT_REWRITE: see `rewriting`.
"""
