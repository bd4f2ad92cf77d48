"""Backups, judged by the artefacts they leave and not by the exit codes of the jobs.

`[backups.NAME] kind = "…"` chooses one of the kinds. Each kind is a module with its own `Settings`
and `probe(context)`; the objects that `probe` returns answer the same questions, each with
`Findings`, so that one file of checks serves all kinds:

    late_members()        a member without a good backup that is young enough
    damaged_sets()        what can be seen to be broken without reading it through
    shrunk()              the newest is far smaller than usual
    losses()              gone, replaced or rewound although retention does not explain it
    grown()               the newest is far larger than usual
    retention_problems()  the cleaner does not run, or deletes too early; the disk fills
    leftovers()           stuck or died runs, names that nobody expects
    log_problems()        what the log of the last run says
    unrestorable()        what reading the newest backups from end to end finds
    unmergeable()         what reading whole chains of increments finds

A rule that a kind does not have finds nothing.
"""

from __future__ import annotations

KINDS = {
    "dumps": "pytest_yakei.probes.backups.dumps",
    "blockdiff": "pytest_yakei.probes.backups.blockdiff",
    "btrfs": "pytest_yakei.probes.backups.btrfs",
    "directory": "pytest_yakei.probes.backups.directory",
}
"""The module of each `kind`."""
