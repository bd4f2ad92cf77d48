"""What `[queues.NAME]` may say."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from pytest_yakei.probes.queues import Settings
from yakei_shared.limits import Limit

OLD = timedelta(seconds=301)
QUEUE: dict[str, Any] = {"database": "main", "table": "jobs", "max_depth": Limit(9)}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"sql": "select 1"}, "table: expected a table or sql, one of the two"),
        ({"table": None}, "table: expected a table or sql, one of the two"),
        ({"table": "a.b.c"}, 'table: expected NAME or SCHEMA.NAME, got "a.b.c"'),
        ({"max_depth": None}, "max_depth: missing; expected max_depth, max_age or max_stall"),
        ({"max_depth": Limit(0)}, "max_depth: expected more than zero"),
        ({"max_depth": Limit(5, 7)}, "max_depth: the warning has to come before the critical"),
        ({"max_age": Limit(OLD)}, "age_column: missing; max_age needs to know"),
        ({"max_age": Limit(timedelta(0)), "age_column": "at"}, "max_age: expected more than zero"),
        ({"max_stall": Limit(OLD)}, "max_stall: needs progress_column, progress_sql or age_column"),
        ({"progress_column": "id", "progress_sql": "select 1"}, "progress_sql: expected it or"),
        ({"age_column": "at", "age_zone": "Tokio"}, 'age_zone: expected a zone such as "UTC"'),
        ({"table": None, "sql": "select 1", "where": "x"}, "where: needs a table"),
        ({"table": None, "sql": "select queue_wait('q')"}, 'sql: "queue_wait" takes or locks'),
        ({"where": "id in (select 1 FOR UPDATE)"}, 'where: "FOR UPDATE" takes or locks rows'),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(problem)):
        Settings(**{**QUEUE, **settings})
