-- Backups: the cluster is copied by replication, which no grant limits; of rows it reads how far
-- the log had come, and which migration was the last.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing, ledger from signalbox_backup;
grant usage on schema transparency to signalbox_backup;
grant select on transparency.coverage to signalbox_backup;
grant select (index, appended_at) on transparency.leaf to signalbox_backup;
grant select (id, size, note) on transparency.checkpoint to signalbox_backup;
grant select (checkpoint_id, size, reached_at) on transparency.quorum to signalbox_backup;
grant select on alembic_version to signalbox_backup;
