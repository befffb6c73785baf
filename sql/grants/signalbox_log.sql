-- The publisher of the log: reads leaves, writes the tree over them and what was signed of it.
-- It writes no leaf, and reads no forecast, opening, account or subscription: leaves hold
-- commitments, and are public.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing from signalbox_log;
grant usage on schema transparency to signalbox_log;

grant select on transparency.leaf, transparency.coverage, transparency.signed_note to signalbox_log;
grant select on transparency.tile, transparency.checkpoint, transparency.cosignature, transparency.quorum, transparency.anchor to signalbox_log;
grant insert (level, index, hashes, root) on transparency.tile to signalbox_log;
grant insert (origin, size, root, note, signed_at) on transparency.checkpoint to signalbox_log;
grant insert (checkpoint_id, key_name, key_hash, timestamp, line, received_at)
  on transparency.cosignature to signalbox_log;
grant insert (checkpoint_id, size, reached_at, policy) on transparency.quorum to signalbox_log;
grant insert (checkpoint_id, kind, authority, token, stamped_at, received_at)
  on transparency.anchor to signalbox_log;
-- It refuses to start on a schema that it was not written for.
grant select on alembic_version to signalbox_log;
