"""Webhooks, what was sent to them, and an order of commits for events of versions."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What happened so far is not sent to anybody: the cursor begins where the log and the outbox are now.
TABLES = """
alter table registry.version_event
  add column xid bigint not null default (pg_current_xact_id()::text)::bigint;
create index version_event_order on registry.version_event (xid, id);
comment on column registry.version_event.xid is
  'Transaction; with it a cursor misses no row that commits late';

create table account.webhook (
  id uuid constraint webhook_pkey primary key,
  user_id uuid not null constraint webhook_user_id_fkey
    references account.user_account on delete restrict,
  url text not null,
  host text not null,
  events text[] not null constraint webhook_wants_something_check check (cardinality(events) > 0),
  description text not null,
  secret bytea not null,
  old_secret bytea,
  old_secret_until timestamptz,
  created_at timestamptz not null,
  disabled_at timestamptz,
  disabled_why text,
  failing_since timestamptz,
  failures integer not null default 0,
  not_before timestamptz not null,
  constraint webhook_disabled_says_why_check check ((disabled_at is null) = (disabled_why is null)),
  constraint webhook_old_secret_ends_check
    check ((old_secret is null) = (old_secret_until is null)));
create index webhook_user_id_idx on account.webhook (user_id);
comment on table account.webhook is 'Addresses that events are sent to; deleted by its owner.';

create table account.webhook_delivery (
  id uuid constraint webhook_delivery_pkey primary key,
  seq bigint not null generated always as identity,
  webhook_id uuid not null constraint webhook_delivery_webhook_id_fkey
    references account.webhook on delete restrict,
  user_id uuid not null constraint webhook_delivery_user_id_fkey
    references account.user_account on delete restrict,
  type text not null,
  leaf_index bigint constraint webhook_delivery_leaf_index_fkey
    references transparency.leaf on delete restrict,
  outbox_id bigint constraint webhook_delivery_outbox_id_fkey
    references billing.outbox on delete restrict,
  version_event_id bigint constraint webhook_delivery_version_event_id_fkey
    references registry.version_event on delete restrict,
  created_at timestamptz not null,
  state text not null constraint webhook_delivery_state_known_check
    check (state in ('pending', 'delivered', 'failed', 'dropped')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  last_attempt_at timestamptz,
  last_status integer,
  last_latency_ms integer,
  last_error text,
  constraint webhook_delivery_is_of_one_event_check
    check (num_nonnulls(leaf_index, outbox_id, version_event_id) = (type <> 'ping')::int),
  constraint webhook_delivery_pending_is_due_check
    check ((state = 'pending') = (next_attempt_at is not null)),
  constraint webhook_delivery_webhook_id_leaf_index_key unique (webhook_id, leaf_index),
  constraint webhook_delivery_webhook_id_outbox_id_key unique (webhook_id, outbox_id),
  constraint webhook_delivery_webhook_id_version_event_id_key
    unique (webhook_id, version_event_id));
create index webhook_delivery_user_id_idx on account.webhook_delivery (user_id);
create index webhook_delivery_order on account.webhook_delivery (webhook_id, seq);
create index webhook_delivery_created_at_idx on account.webhook_delivery (created_at);
create index webhook_delivery_due on account.webhook_delivery (webhook_id, next_attempt_at)
  where state = 'pending';
comment on table account.webhook_delivery is
  'Events to be sent to a webhook; names them, holds nothing of what they say.';

create table account.webhook_cursor (
  id integer constraint webhook_cursor_pkey primary key
    constraint webhook_cursor_is_one_check check (id = 1),
  leaf_index bigint not null,
  outbox_xid bigint not null,
  version_xid bigint not null);
comment on table account.webhook_cursor is
  'One row: up to where events are queued for webhooks.';
insert into account.webhook_cursor
select 1, coalesce(max(index), -1), (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1,
       (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1 from transparency.leaf;
"""
COMMENTS = {
    "webhook": {
        "id": "Random",
        "user_id": "Owner",
        "url": "Where to",
        "host": "Host and port of url: few deliveries at once to one",
        "events": "Types, such as forecast",
        "description": "The owner''s words",
        "secret": "Signs; sealed under the API''s secret, AES-256-GCM",
        "old_secret": "Signs beside it for a while; sealed likewise",
        "old_secret_until": "Until then, exclusive",
        "created_at": "When; by the world''s clock, as all here",
        "disabled_at": "Nothing is sent since; null: on",
        "disabled_why": "owner, gone, failing or secret",
        "failing_since": "Of failures without a success",
        "failures": "In a row, without a success",
        "not_before": "Somebody is sending to it, or it rests after a failure, until then",
    },
    "webhook_delivery": {
        "id": "Random; the webhook-id sent",
        "seq": "Order of sending",
        "webhook_id": "Where to",
        "user_id": "Owner",
        "type": "forecast, missed, version.live, ..., or ping",
        "leaf_index": "Of forecast and missed",
        "outbox_id": "Of subscription, payment and offer",
        "version_event_id": "Of version",
        "created_at": "When it was queued",
        "state": "pending; delivered; failed: given up; dropped: the owner may not read it any more",
        "attempts": "Since it was queued, or asked for again",
        "next_attempt_at": "Not before; null: never",
        "last_attempt_at": "When it was last sent",
        "last_status": "HTTP status; null: there was none",
        "last_latency_ms": "From connecting to the answer",
        "last_error": "Why the last attempt failed, cut short",
    },
    "webhook_cursor": {
        "id": "Always 1",
        "leaf_index": "Last leaf queued",
        "outbox_xid": "Last transaction queued of outbox",
        "version_xid": "Last transaction queued of version_event",
    },
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(TABLES)
    for table, columns in COMMENTS.items():
        for column, text in columns.items():
            op.execute(f"comment on column account.{table}.{column} is '{text}'")
