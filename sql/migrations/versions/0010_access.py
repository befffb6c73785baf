"""Data-source keys, whose acts are whose, limits shared by processes, notices of credentials."""

from alembic import op
import sqlalchemy as sa

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOTIFY = """
create function account.notify_credential() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  perform pg_notify('signalbox_credential',
    case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end ->> tg_argv[0]);
  return null;
end $$;
comment on function account.notify_credential() is
  'Trigger: API processes forget what they know of the keys of a person.';
create trigger api_key_notify
  after update of user_id, secret_sha256, scopes, expires_at, revoked_at or delete
  on account.api_key for each row execute function account.notify_credential('user_id');
create trigger user_account_notify after update of handle, role or delete
  on account.user_account for each row execute function account.notify_credential('id')
"""

TAKE_TOKEN = """
create function account.take_token(of_key bytea, at timestamptz, every interval, period interval)
returns table (full_at timestamptz, was_refused boolean)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
  -- What is full says nothing: it goes now and then, so that the table stays small.
  if random() < 0.001 then
    delete from account.rate_limit f where f.key in (
      select b.key from account.rate_limit b where b.full_at < at for update skip locked);
  end if;
  return query
    insert into account.rate_limit as b (key, full_at, was_refused)
      values (of_key, at + every, false)
    on conflict (key) do update set
      full_at = case when greatest(b.full_at, at) + every > at + period then b.full_at
                     else greatest(b.full_at, at) + every end,
      was_refused = greatest(b.full_at, at) + every > at + period
    returning b.full_at, b.was_refused;
end $$;
comment on function account.take_token is
  'One token of a bucket that is full at full_at; each moves that on by every, to at most period.'
"""

IS_OPERATOR = """
create function account.demand_operator() returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  if not exists (select from account.user_account u
                 where u.id = account.current_user_id() and u.role = 'operator') then
    raise exception 'only an operator may read this' using errcode = 'insufficient_privilege';
  end if;
end $$;
comment on function account.demand_operator() is
  'Raises unless the person of this transaction is an operator.'
"""

OF_EVERYBODY = """
create function audit.of_everybody(
  of_actor text, of_action text, of_subject text, from_at timestamptz, to_at timestamptz,
  before_id bigint, at_most int)
returns table (id bigint, at timestamptz, actor text, action text, subject text, detail jsonb)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
  perform account.demand_operator();
  return query
    select e.id, e.at, u.handle, e.action, e.subject, e.detail
    from audit.event e left join account.user_account u on u.id = e.actor_id
    where (of_actor is null or u.handle = of_actor)
      and (of_action is null or e.action = of_action or starts_with(e.action, of_action || '.'))
      and (of_subject is null or e.subject = of_subject)
      and (from_at is null or e.at >= from_at) and (to_at is null or e.at < to_at)
      and (before_id is null or e.id < before_id)
    order by e.id desc limit at_most;
end $$;
comment on function audit.of_everybody is 'Acts of everybody, newest first, for operators.'
"""

EVERYBODY = """
create function account.everybody(
  part text, before_at timestamptz, before_id uuid, at_most int)
returns table (id uuid, handle text, email text, role text, created_at timestamptz,
               signals bigint, subscriptions bigint, api_keys bigint)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
  perform account.demand_operator();
  return query
    select u.id, u.handle, u.email, u.role, u.created_at,
           (select count(*) from registry.signal g where g.provider_id = u.id),
           (select count(*) from billing.subscription s
            where s.user_id = u.id and s.state in ('trialing', 'active', 'past_due')
              and s.period_end > account.current_instant()),
           (select count(*) from account.api_key k
            where k.user_id = u.id and k.revoked_at is null
              and (k.expires_at is null or k.expires_at > now()))
    from account.user_account u
    where (part is null or position(lower(part) in u.handle) > 0
           or position(lower(part) in u.email) > 0)
      and (before_at is null or (u.created_at, u.id) < (before_at, before_id))
    order by u.created_at desc, u.id desc limit at_most;
end $$;
comment on function account.everybody is 'Accounts, newest first, for operators.'
"""

FUNCTIONS = (
    "account.take_token(bytea, timestamptz, interval, interval)",
    "account.demand_operator()",
    "audit.of_everybody(text, text, text, timestamptz, timestamptz, bigint, int)",
    "account.everybody(text, timestamptz, uuid, int)",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "data_source_key",
        sa.Column("id", sa.Uuid(), nullable=False, comment="Random"),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Owner"),
        sa.Column("name", sa.Text(), nullable=False, comment="What the owner calls it"),
        sa.Column("source", sa.Text(), nullable=False, comment="Whose key it is, such as alpaca"),
        sa.Column("shown", sa.Text(), nullable=False, comment="First four and last four characters"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="When it was stored"),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True, comment="When the owner had it erased"),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True, comment="When a worker opened it last"),
        sa.Column("key_id", sa.Text(), nullable=True, comment="Key pair that wrapped_key is sealed to"),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True, comment="The data key, by HPKE; null: erased"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True, comment="Nonce and ciphertext, AES-256-GCM; null: erased"),
        sa.CheckConstraint(
            "num_nulls(revoked_at, sealed) = 1 and num_nulls(sealed, wrapped_key, key_id) in (0, 3)",
            name=op.f("data_source_key_erased_when_revoked_check"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_account.id"], name=op.f("data_source_key_user_id_fkey"), ondelete="restrict"),
        sa.PrimaryKeyConstraint("id", name=op.f("data_source_key_pkey")),
        schema="account",
        comment="Keys of market data vendors, sealed to the run workers.",
    )
    op.create_index(op.f("data_source_key_user_id_idx"), "data_source_key", ["user_id"], schema="account")
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="sha256 of what is counted, and for whom"),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False, comment="When the bucket is full again"),
        sa.Column("was_refused", sa.Boolean(), nullable=False, comment="Whether the last wish for a token was refused"),
        sa.PrimaryKeyConstraint("key", name=op.f("rate_limit_pkey")),
        schema="account",
        comment="Buckets of limits that several API processes share; what is full has no row.",
        prefixes=["unlogged"],
    )
    op.add_column(
        "event",
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="Whose thing it was done to, if not the actor's"),
        schema="audit",
    )
    op.create_foreign_key(
        op.f("event_owner_id_fkey"), "event", "user_account", ["owner_id"], ["id"],
        source_schema="audit", referent_schema="account", ondelete="restrict",
    )
    op.create_index(op.f("event_actor_id_idx"), "event", ["actor_id"], schema="audit")
    op.create_index(op.f("event_owner_id_idx"), "event", ["owner_id"], schema="audit")
    for statement in (NOTIFY, TAKE_TOKEN, IS_OPERATOR, OF_EVERYBODY, EVERYBODY):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
