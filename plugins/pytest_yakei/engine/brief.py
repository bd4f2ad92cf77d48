"""A phase that passed, in few words: what its check's item does not say already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest

_BRIEF = "$yakei_brief"
_ITEMS = frozenset({"_id", "nodeid", "location", "keywords", "longrepr"})
"""What a report has from its item, or not at all when the phase has passed."""
_ALWAYS = ("when", "outcome", "duration", "start", "stop")
_SOMETIMES = ("sections", "user_properties", "_json_report_extra")
_KNOWN = _ITEMS.union(_ALWAYS, _SOMETIMES)
_PYTESTS_OWN = {"reports", "subtests"}


def may_be_brief(config: pytest.Config) -> bool:
    """Return whether pytest alone says how a report is sent: another plugin's way is kept."""
    hook = config.hook
    both = (hook.pytest_report_to_serializable, hook.pytest_report_from_serializable)
    return all(impl.plugin_name in _PYTESTS_OWN for each in both for impl in each.get_hookimpls())


def brief(report: pytest.TestReport, item: pytest.Item, keywords: int) -> dict[str, Any] | None:
    """Return the report in few words; None when it is no ordinary one of a phase that passed.

    Args:
        report: of one phase of a check.
        item: the check.
        keywords: how many it had when its turn began: it can get more, and lose none.
    """
    facts = vars(report)
    is_ordinary = (
        type(report) is pytest.TestReport
        and facts["outcome"] == "passed"
        and facts["longrepr"] is None
        and facts["location"] == item.location
        and len(facts["keywords"]) == keywords
        and facts.keys() <= _KNOWN
        and report.nodeid == item.nodeid
    )
    if not is_ordinary:
        return None
    data = {"$report_type": "TestReport", _BRIEF: True}
    data |= {name: facts[name] for name in _ALWAYS}
    return data | {name: facts[name] for name in _SOMETIMES if facts.get(name)}


def is_brief(data: Mapping[str, Any]) -> bool:
    """Return whether a report was sent in few words."""
    return _BRIEF in data


def in_full(
    data: Mapping[str, Any], item: pytest.Item, identity: Any, keywords: dict[str, Literal[1]]
) -> pytest.TestReport:
    """Return the report that was sent in few words."""
    report = pytest.TestReport(
        identity,
        item.location,
        dict(keywords),
        longrepr=None,
        sections=data.get("sections", ()),
        user_properties=data.get("user_properties"),
        **{name: data[name] for name in _ALWAYS},
    )
    if "_json_report_extra" in data:
        report._json_report_extra = data["_json_report_extra"]  # type: ignore[attr-defined]  # noqa: SLF001 - pytest-json-report's own way
    return report
