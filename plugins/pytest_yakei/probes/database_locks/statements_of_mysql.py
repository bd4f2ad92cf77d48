"""What MySQL and MariaDB are asked about their sessions and locks."""

from __future__ import annotations

_NOW = "convert_tz(utc_timestamp(), '+00:00', 'SYSTEM')"
"""InnoDB's times are in the zone of the operating system, whatever the session's is. They are those
of a copy, which is renewed when nobody has read it for a tenth of a second."""

TRANSACTIONS = f"""
select trx_id, trx_mysql_thread_id, timestampdiff(second, trx_started, {_NOW}),
       timestampdiff(second, trx_wait_started, {_NOW}), trx_rows_locked
from information_schema.innodb_trx where trx_mysql_thread_id <> connection_id()
"""  # noqa: S608 - a constant of ours
SESSIONS = """
select id, user, host, command, time, state, info
from information_schema.processlist where id <> connection_id()
"""
BLOCKERS = """
select w.requesting_trx_id, w.blocking_trx_id, l.lock_mode, l.lock_table
from information_schema.innodb_lock_waits w
join information_schema.innodb_locks l on l.lock_id = w.requested_lock_id
"""
BLOCKERS_OF_MYSQL_8 = """
select w.requesting_engine_transaction_id, w.blocking_engine_transaction_id, l.lock_mode,
       concat('`', l.object_schema, '`.`', l.object_name, '`')
from performance_schema.data_lock_waits w
join performance_schema.data_locks l on l.engine_lock_id = w.requesting_engine_lock_id
"""
HAS_LOCK_INFO = """
select count(*) from information_schema.plugins
where plugin_name = 'METADATA_LOCK_INFO' and plugin_status = 'ACTIVE'
"""
READ_LOCKS = """
select thread_id, lock_time_ms / 1000, lock_mode from information_schema.metadata_lock_info
where lock_mode in ('MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2', 'MDL_BACKUP_WAIT_COMMIT')
"""
READ_LOCKS_OF_MYSQL_8 = """
select t.processlist_id, t.processlist_time, concat(m.object_type, ' ', m.lock_type)
from performance_schema.metadata_locks m
join performance_schema.threads t on t.thread_id = m.owner_thread_id
where m.object_type = 'GLOBAL' and m.lock_type = 'SHARED' and m.lock_status = 'GRANTED'
"""
