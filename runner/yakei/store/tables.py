"""The tables of the state file, and what each of them is for."""

from __future__ import annotations

VERSION = 1
"""Grows with every change that an older or newer Yakei could not read."""
APPLICATION = 0x59414B45
"""`YAKE`: tells our file from another program's database."""

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
create table population (check_id text primary key);

create table incidents (
    id integer primary key,
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
    superseded_at real  -- a later message told of the same and more
);
create index waiting_notifications on notifications (notifier, id)
    where delivered_at is null and superseded_at is null;

create table facts (name text primary key, document text not null);  -- one of each

commit;
"""
