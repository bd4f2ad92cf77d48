"""The tables of the state file, and what each of them is for."""

from __future__ import annotations

VERSION = 2
"""Grows with every change that an older Yakei could not read; `migration` reads older ones."""
APPLICATION = 0x59414B45
"""`YAKE`: tells our file from another program's database."""

POPULATION = """
create table population (
    check_id text not null,
    configuration text not null,  -- whose suite it is in; empty when that was not kept
    primary key (configuration, check_id)
);
"""
SPOKEN = """
create table silences (
    id integer primary key autoincrement,  -- people name it, so it is never given again
    pattern text not null,
    until real not null,
    reason text not null,
    "by" text not null,
    at real not null,
    ended_at real,  -- when somebody ended it before its time
    ended_by text
);

create table acknowledgements (
    id integer primary key,
    incident text not null,  -- the name of the incident
    reason text not null,
    "by" text not null,
    at real not null
);
"""
"""What people say between two runs: a run only reads it."""
TOLD = """
create table told (  -- which incidents a message tells of
    notification integer not null,
    key text not null,
    incident text not null,  -- its name; empty when that was not kept
    reason text not null,
    primary key (key, notification)
) without rowid;
create index told_by_a_message on told (notification);
"""
BY_AGE = """
create index notifications_created on notifications (created);
create index incidents_closed on incidents (closed) where closed is not null;
"""
"""So that a run finds at once that nothing is too old."""

SCHEMA = f"""
pragma application_id = {APPLICATION};
pragma user_version = {VERSION};
begin;

create table runs (
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
create index runs_started on runs (started);

create table names (number integer primary key, name text not null unique);  -- of checks

create table outcomes (
    run integer not null,
    "check" integer not null,
    outcome text not null,
    severity text not null,
    fact text not null,
    duration real not null,
    notes text not null,  -- JSON
    primary key (run, "check")  -- in the order of the runs, so that old ones go cheaply
) without rowid;
create index outcomes_of_a_check on outcomes ("check", run);

create table measures (
    run integer not null,
    "check" integer not null,
    name text not null,
    value real,
    unit text not null,
    "limit" text not null,
    status text not null,
    primary key (run, "check", name)
) without rowid;
create index measures_of_a_check on measures ("check", name, run);

-- these two are read by the plugin: yakei_shared/history.py
create table memory (check_id text primary key, document text not null);
create table judged (check_id text primary key, at real not null);

create table histories (check_id text primary key, document text not null);
{POPULATION}
create table incidents (
    id integer primary key,
    name text not null default '',  -- its id, as people say it
    key text not null,
    opened real not null,
    last_failure real not null,
    closed real,
    ending text,  -- recovered or removed
    document text not null
);
create unique index open_incidents on incidents (key) where closed is null;
create index closed_incidents on incidents (key, last_failure) where closed is not null;

create table notifications (
    id integer primary key,
    created real not null,
    notifier text not null,
    message text not null,  -- JSON
    attempts integer not null default 0,
    last_error text,
    delivered_at real,
    superseded_at real,  -- a later message told of the same and more
    tried_at real  -- the last time
);
create index waiting_notifications on notifications (notifier, id)
    where delivered_at is null and superseded_at is null;
{TOLD}{SPOKEN}{BY_AGE}
create table facts (name text primary key, document text not null);  -- one of each

commit;
"""
