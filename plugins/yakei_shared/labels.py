"""A check's name as people say it."""

from __future__ import annotations


def label_of(check: str) -> str:
    """Return a check's id, or its name alone, as words: `depth of analyze_page`."""
    path, bracket, parameter = check.partition("[")
    said = path.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"{said} of {parameter.removesuffix(']')}" if bracket else said
