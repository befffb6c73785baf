-- Dagster's code server and run workers: bars in, forecasts and scores out.
-- Withdrawn by omission: update and delete anywhere, accounts' secrets, subscriptions' writes.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing from signalbox_worker;
grant usage on schema account, audit, registry, market, forecast, transparency, score, billing to signalbox_worker;

grant select (id, handle) on account.user_account to signalbox_worker;
grant insert on audit.event to signalbox_worker;
-- It opens data-source keys, and may seal the same secret to another key pair.
grant select on account.data_source_key to signalbox_worker;
grant update (key_id, wrapped_key, last_used_at) on account.data_source_key to signalbox_worker;
grant select on registry.signal, registry.version, registry.version_event to signalbox_worker;
grant select on registry.image_finding to signalbox_worker;
grant execute on function registry.report_image(text, text, text, timestamptz) to signalbox_worker;
grant select, insert on market.instrument, market.ingest_batch, market.bar, market.reject to signalbox_worker;
grant select, insert on market.instrument_alias, market.raw_answer to signalbox_worker;
grant usage on all sequences in schema market to signalbox_worker;
grant select, insert on forecast.slot_record, forecast.forecast, forecast.opening, forecast.replay_audit,
  forecast.slot_pin to signalbox_worker;
grant select, insert on transparency.leaf to signalbox_worker;
-- It reads what was signed, and signs nothing: tiles and checkpoints are the publisher's.
grant select on transparency.tile, transparency.checkpoint, transparency.cosignature to signalbox_worker;
grant select on transparency.quorum, transparency.anchor, transparency.coverage, transparency.signed_note to signalbox_worker;
grant select, insert on transparency.reproduction to signalbox_worker;
grant select, insert on score.score to signalbox_worker;
grant select, insert, update, delete on score.performance, score.rule_return, score.definition to signalbox_worker;
grant select on billing.subscription, billing.price to signalbox_worker;
-- It settles what has ended, and reconciles with the payment provider through the same inbox.
grant select on billing.payment_event, billing.applied_event, billing.payment, billing.outbox,
  billing.reconciliation to signalbox_worker;
grant insert (provider, external_id, kind, received_at, payload) on billing.payment_event to signalbox_worker;
grant insert (provider, since, until, compared, lost, pushed) on billing.reconciliation to signalbox_worker;
grant execute on function billing.settle(uuid, timestamptz), billing.price_of(uuid, timestamptz),
  billing.apply_event(text, text, jsonb, timestamptz, interval),
  billing.outbox_after(bigint, bigint, integer), billing.as_we_have_it(uuid),
  billing.usable_credit(uuid), billing.is_booked(text, text) to signalbox_worker;
-- `market.bars_as_of` is not granted: what a model is given is read as signalbox_model.

-- It reads all of the books, to hold them against each other, and writes them through functions.
revoke all on all tables in schema ledger from signalbox_worker;
grant usage on schema ledger to signalbox_worker;
grant select on all tables in schema ledger to signalbox_worker;
grant insert (day, metric, currency, signal_id, value, reason, computed_at) on ledger.metric_day to signalbox_worker;
grant execute on function
  ledger.post(text, text, timestamptz, timestamptz, uuid, jsonb),
  ledger.invoice_paid(uuid, text, timestamptz, timestamptz, bigint, text, bigint, text, timestamptz, timestamptz),
  ledger.refund(text, text, bigint, timestamptz, timestamptz),
  ledger.chargeback(text, text, bigint, bigint, timestamptz, timestamptz),
  ledger.credit(uuid, text, bigint, text, timestamptz, timestamptz), ledger.credit_balance(uuid),
  ledger.apply_credit(uuid, text, bigint, timestamptz, timestamptz),
  ledger.payout(uuid, date, timestamptz, timestamptz),
  ledger.payouts(date, timestamptz, timestamptz), ledger.card_used(uuid, text, timestamptz), ledger.invoice_of(text),
  ledger.digest_of(bigint, bytea)
  to signalbox_worker;
grant execute on function account.put_mail(uuid, text, text, text, timestamptz, text) to signalbox_worker;
-- It refuses to start on a schema that it was not written for.
grant select on alembic_version to signalbox_worker;
-- It forgets what grows and proves nothing; see docs/operations/retention.md.
grant execute on function market.forget_raw_answers(timestamptz, integer), account.forget_sessions(timestamptz, integer)
  to signalbox_worker;
