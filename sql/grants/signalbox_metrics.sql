-- The exporter: counts what is owed, recorded, covered and waiting. It writes nothing, and reads no
-- forecast, opening, person, letter, price or subscription, and no code, manifest or model's output.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing, ledger from signalbox_metrics;
grant usage on schema account, registry, market, forecast, transparency to signalbox_metrics;

grant select (id, name) on registry.signal to signalbox_metrics;
grant select (id, signal_id, version, state, reserved_at, published_at) on registry.version to signalbox_metrics;
grant select (id, version_id, at, to_state) on registry.version_event to signalbox_metrics;
grant select (version_id, slot, provenance, recorded_at, wall_ms, cpu_ms, peak_memory_mb, leaf_index)
  on forecast.slot_record to signalbox_metrics;
grant select (id, symbol, calendar) on market.instrument to signalbox_metrics;
grant select (instrument_id, ts_open, ts_close, available_at, batch_id) on market.bar to signalbox_metrics;
grant select (id, source) on market.ingest_batch to signalbox_metrics;
grant select (index, appended_at) on transparency.leaf to signalbox_metrics;
grant select (id, size, signed_at) on transparency.checkpoint to signalbox_metrics;
grant select (checkpoint_id, size, reached_at) on transparency.quorum to signalbox_metrics;
grant select on transparency.coverage to signalbox_metrics;
grant execute on function account.outboxes(), forecast.missed_by_kind(timestamptz),
  registry.symbols_read() to signalbox_metrics;
