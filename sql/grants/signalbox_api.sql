-- The API serves stored rows and keeps accounts and subscriptions. It writes no
-- forecast, score, leaf or bar, and no version; what a provider does with one is a function.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing from signalbox_api;
grant usage on schema account, audit, registry, market, forecast, transparency, score, billing to signalbox_api;

grant select on account.user_account, account.api_key, account.refresh_token to signalbox_api;
grant insert on account.user_account, account.api_key, account.refresh_token to signalbox_api;
grant update (password_hash) on account.user_account to signalbox_api;
grant update (name, revoked_at, last_used_at) on account.api_key to signalbox_api;
grant update (used_at, revoked_at) on account.refresh_token to signalbox_api;
grant select, insert on account.signing_key to signalbox_api;
grant update (revoked_at) on account.signing_key to signalbox_api;
-- `role` of user_account is not granted: operators are made on the operator's machine.

-- It seals data-source keys, and never reads what it sealed; a deleted one is erased.
grant select (id, user_id, name, source, shown, created_at, revoked_at, last_used_at)
  on account.data_source_key to signalbox_api;
grant insert (id, user_id, name, source, shown, created_at, key_id, wrapped_key, sealed)
  on account.data_source_key to signalbox_api;
grant update (revoked_at, key_id, wrapped_key, sealed) on account.data_source_key to signalbox_api;
-- Not update: what was answered stays as it was, until it is forgotten.
grant select, insert, delete on account.idempotent_answer to signalbox_api;
grant execute on function account.forget_answers(timestamptz), account.mail_waiting() to signalbox_api;
-- account.rate_limit is not granted: a token is taken by function.
grant execute on function account.take_token(bytea, timestamptz, interval, interval),
  account.everybody(text, timestamptz, uuid, int),
  audit.of_everybody(text, text, text, timestamptz, timestamptz, bigint, int) to signalbox_api;

grant select, insert on audit.event to signalbox_api;

grant select on registry.signal, registry.version, registry.version_event to signalbox_api;
grant select on registry.signing_key to signalbox_api;
grant insert (signal_id, at, actor_id, to_visibility, why) on registry.signal_event to signalbox_api;
grant update (visibility, title, description) on registry.signal to signalbox_api;
grant insert (provider_id, name, title, description, visibility, created_at)
  on registry.signal to signalbox_api;
grant execute on function registry.move_version(bigint, text, text) to signalbox_api;

grant select on market.instrument, market.bar, market.ingest_batch to signalbox_api;
-- Not the rows that were refused: a source's terms may keep them from others.
grant select (batch_id, symbol) on market.reject to signalbox_api;
grant select on forecast.slot_record, forecast.forecast to signalbox_api;
grant select on forecast.opening to signalbox_api;
grant select on transparency.leaf, transparency.tile, transparency.checkpoint to signalbox_api;
grant select on transparency.cosignature, transparency.quorum, transparency.anchor to signalbox_api;
grant select on transparency.coverage, transparency.signed_note to signalbox_api;
grant select on transparency.reproduction to signalbox_api;
grant select on score.score, score.performance, score.rule_return, score.definition to signalbox_api;

grant select on billing.price, billing.subscription, billing.payment_event to signalbox_api;
grant insert (provider, external_id, kind, received_at, payload) on billing.payment_event to signalbox_api;
grant select on billing.subscription_event, billing.outbox, billing.payment, billing.applied_event,
  billing.proposal, billing.consent to signalbox_api;
-- No write on subscriptions, payments or trials: they change by these functions, which keep the rules.
grant execute on function billing.settle(uuid, timestamptz),
  billing.open_subscription(bigint, text, bytea, timestamptz), billing.cancel(uuid, timestamptz),
  billing.resume(uuid), billing.trial_is_free(bigint, uuid, bytea),
  billing.apply_event(text, text, jsonb, timestamptz, interval),
  billing.make_offer(bigint, bigint, text, integer, timestamptz, boolean, timestamptz),
  billing.open_proposal(uuid, timestamptz), billing.consent(uuid, timestamptz),
  billing.price_of(uuid, timestamptz), billing.outbox_after(bigint, bigint, integer),
  billing.as_we_have_it(uuid), billing.find_payment(text), billing.due_minor(uuid, timestamptz)
  to signalbox_api;

grant execute on function account.find_api_key(text), billing.is_entitled(bigint),
  forecast.unopened(bigint) to signalbox_api;

-- The books are written through functions only, of which each keeps its own rules.
revoke all on all tables in schema ledger from signalbox_api;
grant usage on schema ledger to signalbox_api;
grant select on ledger.invoice, ledger.invoice_line, ledger.reversal, ledger.payout to signalbox_api;
grant select on ledger.metric_day to signalbox_api;
grant execute on function
  ledger.post(text, text, timestamptz, timestamptz, uuid, jsonb),
  ledger.invoice_paid(uuid, text, timestamptz, timestamptz, bigint, text, bigint, text, timestamptz, timestamptz),
  ledger.refund(text, text, bigint, timestamptz, timestamptz),
  ledger.chargeback(text, text, bigint, bigint, timestamptz, timestamptz),
  ledger.credit(uuid, text, bigint, text, timestamptz, timestamptz), ledger.credit_balance(uuid),
  ledger.apply_credit(uuid, text, bigint, timestamptz, timestamptz),
  ledger.payout(uuid, date, timestamptz, timestamptz),
  ledger.payouts(date, timestamptz, timestamptz), ledger.card_used(uuid, text, timestamptz), ledger.invoice_of(text),
  ledger.statement(date), ledger.own_balances(), ledger.own_signals(), ledger.own_earnings(date), ledger.flags_for_operator()
  to signalbox_api;
-- Letters are put and delivered by function; what another person was written is not read.
grant select on account.mail to signalbox_api;
grant select (user_id, purpose, email, created_at, expires_at, used_at) on account.mail_token to signalbox_api;
grant insert (token_sha256, user_id, purpose, email, created_at, expires_at) on account.mail_token to signalbox_api;
grant update (used_at) on account.mail_token to signalbox_api;
grant execute on function account.put_mail(uuid, text, text, text, timestamptz, text),
  account.take_mail(timestamptz), account.mail_was_sent(uuid, timestamptz),
  account.mail_failed(uuid, text, timestamptz),
  account.use_mail_token(bytea, text, timestamptz) to signalbox_api;

-- `ended_at` and not delete: that somebody was signed in is part of what happened.
grant select, insert on account.session to signalbox_api;
grant update (last_used_at, expires_at, ended_at, user_agent, network, has_totp) on account.session to signalbox_api;
grant select, insert, delete on account.totp, account.recovery_code to signalbox_api;
grant update (confirmed_at, last_step) on account.totp to signalbox_api;
grant update (used_at) on account.recovery_code to signalbox_api;
grant select, insert on account.terms_acceptance to signalbox_api;
grant update (email, email_confirmed_at) on account.user_account to signalbox_api;
grant execute on function account.admit_login(bytea, text, boolean, timestamptz),
  account.login_was_right(bytea, text, boolean), account.forget_attempts(bytea),
  account.erase_caller(timestamptz), audit.acts_of_caller() to signalbox_api;

-- Events, and where they are sent. Deliveries are queued and taken by function, for everybody at once;
-- what is sent is read as the webhook's owner.
grant execute on function billing.entitled_people(uuid[], bigint[], timestamptz[], timestamptz),
  billing.lines_between(uuid[], bigint, bigint, bigint, integer),
  account.good_credentials(text[], uuid[], timestamptz), forecast.of_leaves(bigint[]),
  account.queue_deliveries(timestamptz, timestamptz, integer),
  account.take_webhook(timestamptz, interval, text[]), account.forget_deliveries(timestamptz, integer),
  account.deliveries_waiting()
  to signalbox_api;
grant select, insert, delete on account.webhook, account.webhook_delivery to signalbox_api;
grant update (url, host, events, description, secret, old_secret, old_secret_until, disabled_at,
  disabled_why, failing_since, failures, not_before) on account.webhook to signalbox_api;
grant update (state, attempts, next_attempt_at, last_attempt_at, last_status, last_latency_ms, last_error)
  on account.webhook_delivery to signalbox_api;
-- It refuses to start on a schema that it was not written for.
grant select on alembic_version to signalbox_api;
