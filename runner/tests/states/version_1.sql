pragma application_id = 1497451333;
pragma user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE facts (name text primary key, document text not null);
INSERT INTO "facts" VALUES('last_run','1768673400.0');
INSERT INTO "facts" VALUES('last_complete','{"at": "2026-01-17T18:10:00+00:00", "summary": "2 checks: 1 failed, 1 passed"}');
INSERT INTO "facts" VALUES('told','[]');
INSERT INTO "facts" VALUES('held','[]');
INSERT INTO "facts" VALUES('note','""');
CREATE TABLE histories (check_id text primary key, document text not null);
INSERT INTO "histories" VALUES('monitors/test_queues.py::test_depth[analyze_page]','{"last": {"at": "2026-01-17T18:10:00+00:00", "measures": [{"name": "waiting", "value": 1396, "unit": "rows", "limit": "below 1000", "status": "critical"}]}, "good": {"at": "2026-01-17T18:05:00+00:00", "measures": [{"name": "waiting", "value": 12, "unit": "rows", "limit": "below 1000"}]}, "profile": {"id": "monitors/test_queues.py::test_depth[analyze_page]", "outcome": "passed", "label": "queue analyze_page"}}');
INSERT INTO "histories" VALUES('monitors/test_backups.py::test_every_member_is_fresh[export]','{"last": {"at": "2026-01-17T18:10:00+00:00"}, "good": {"at": "2026-01-17T18:10:00+00:00"}, "profile": {"id": "monitors/test_backups.py::test_every_member_is_fresh[export]", "outcome": "passed", "label": "queue analyze_page"}}');
CREATE TABLE incidents (
    id integer primary key,
    key text not null,
    opened real not null,
    last_failure real not null,
    closed real,
    ending text,  -- recovered or removed
    document text not null
);
INSERT INTO "incidents" VALUES(1,'monitors/test_backups.py::test_every_member_is_fresh[export]',1768673100.0,1768673100.0,1768673400.0,'recovered','{"key": "monitors/test_backups.py::test_every_member_is_fresh[export]", "label": "queue analyze_page", "fact": "no backup since 26 h", "severity": "critical", "since": "2026-01-17T18:05:00+00:00", "last_failure": "2026-01-17T18:05:00+00:00", "outcome": "failed", "told_at": "2026-01-17T18:05:00+00:00", "told_severity": "critical", "told_facts": ["no backup since #"]}');
INSERT INTO "incidents" VALUES(2,'monitors/test_queues.py::test_depth[analyze_page]',1768673400.0,1768673400.0,NULL,NULL,'{"key": "monitors/test_queues.py::test_depth[analyze_page]", "label": "queue analyze_page", "fact": "waiting: 1396 rows (limit: below 1000)", "severity": "critical", "since": "2026-01-17T18:10:00+00:00", "last_failure": "2026-01-17T18:10:00+00:00", "outcome": "failed", "told_at": "2026-01-17T18:10:00+00:00", "told_severity": "critical", "told_facts": ["waiting: # rows (limit: below # )"], "measure": "waiting", "value": 1396, "worst": {"value": 1396, "at": "2026-01-17T18:10:00+00:00"}}');
CREATE TABLE judged (check_id text primary key, at real not null);
INSERT INTO "judged" VALUES('monitors/test_queues.py::test_depth[analyze_page]',1768673400.0);
INSERT INTO "judged" VALUES('monitors/test_backups.py::test_every_member_is_fresh[export]',1768673400.0);
CREATE TABLE measures (
    run integer not null,
    "check" integer not null,
    name text not null,
    value real,
    unit text not null,
    "limit" text not null,
    status text not null,
    primary key (run, "check", name)
) without rowid;
INSERT INTO "measures" VALUES(1,1,'waiting',12.0,'rows','below 1000','ok');
INSERT INTO "measures" VALUES(2,1,'waiting',12.0,'rows','below 1000','ok');
INSERT INTO "measures" VALUES(3,1,'waiting',1396.0,'rows','below 1000','critical');
CREATE TABLE memory (check_id text primary key, document text not null);
INSERT INTO "memory" VALUES('monitors/test_queues.py::test_depth[analyze_page]','{"seen": 3}');
CREATE TABLE names (number integer primary key, name text not null unique);
INSERT INTO "names" VALUES(1,'monitors/test_queues.py::test_depth[analyze_page]');
INSERT INTO "names" VALUES(2,'monitors/test_backups.py::test_every_member_is_fresh[export]');
CREATE TABLE notifications (
    id integer primary key,
    created real not null,
    notifier text not null,
    message text not null,  -- JSON
    attempts integer not null default 0,
    last_error text,
    delivered_at real,
    superseded_at real  -- a later message told of the same and more
);
INSERT INTO "notifications" VALUES(1,1768673400.0,'email','{"subject": "[CRIT] app01 queue: 1396 waiting", "body": "1396 rows \u26a0\n", "severity": "critical", "created": "2026-01-17T18:10:00+00:00", "run_id": "20260118-0300-4711", "keys": ["monitors/test_queues.py::test_depth[analyze_page]"], "repeatable": true}',1,'connection refused',NULL,NULL);
INSERT INTO "notifications" VALUES(2,1768673400.0,'slack','{"subject": "[CRIT] app01 queue: 1396 waiting", "body": "1396 rows \u26a0\n", "severity": "critical", "created": "2026-01-17T18:10:00+00:00", "run_id": "20260118-0300-4711", "keys": ["monitors/test_queues.py::test_depth[analyze_page]"], "repeatable": true}',1,NULL,1768673460.0,NULL);
CREATE TABLE outcomes (
    run integer not null,
    "check" integer not null,
    outcome text not null,
    severity text not null,
    fact text not null,
    duration real not null,
    notes text not null,  -- JSON
    primary key (run, "check")  -- in the order of the runs, so that old ones go cheaply
) without rowid;
INSERT INTO "outcomes" VALUES(1,1,'passed','critical','',0.0,'[]');
INSERT INTO "outcomes" VALUES(1,2,'passed','critical','',0.0,'[]');
INSERT INTO "outcomes" VALUES(2,1,'passed','critical','',0.0,'[]');
INSERT INTO "outcomes" VALUES(2,2,'failed','critical','no backup since 26 h',0.0,'[]');
INSERT INTO "outcomes" VALUES(3,1,'failed','critical','waiting: 1396 rows (limit: below 1000)',0.0,'[]');
INSERT INTO "outcomes" VALUES(3,2,'passed','critical','',0.0,'[]');
CREATE TABLE population (check_id text primary key);
INSERT INTO "population" VALUES('monitors/test_queues.py::test_depth[analyze_page]');
INSERT INTO "population" VALUES('monitors/test_backups.py::test_every_member_is_fresh[export]');
CREATE TABLE runs (
    number integer primary key,
    id text not null,
    started real not null,  -- all times are seconds since the epoch
    ended real not null,
    complete integer not null,
    partial integer not null,
    failing integer not null,
    broken integer not null,
    summary text not null,
    problems text not null  -- JSON, [[kind, text], …]
);
INSERT INTO "runs" VALUES(1,'20260118-0300-4711',1768672800.0,1768672800.0,1,0,0,0,'2 checks, all passed','[]');
INSERT INTO "runs" VALUES(2,'20260118-0300-4711',1768673100.0,1768673100.0,1,0,1,0,'2 checks: 1 failed, 1 passed','[]');
INSERT INTO "runs" VALUES(3,'20260118-0300-4711',1768673400.0,1768673400.0,1,0,1,0,'2 checks: 1 failed, 1 passed','[]');
CREATE INDEX runs_started on runs (started);
CREATE INDEX outcomes_of_a_check on outcomes ("check", run);
CREATE INDEX measures_of_a_check on measures ("check", name, run);
CREATE UNIQUE INDEX open_incidents on incidents (key) where closed is null;
CREATE INDEX closed_incidents on incidents (key, last_failure) where closed is not null;
CREATE INDEX waiting_notifications on notifications (notifier, id)
    where delivered_at is null and superseded_at is null;
COMMIT;
