"""The log's tree, checkpoints and cosignatures, and what a leaf must be."""

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSERT_ONLY = ("tile", "checkpoint", "cosignature", "quorum", "anchor")

# Statement by statement, so that ten thousand leaves cost one query and not ten thousand. The
# body is canonical JSON, whose keys stand in order: what is searched for cannot stand in a string,
# where quotes are escaped.
CHECK_APPEND = """
create function transparency.check_append() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  first bigint;
  newest bigint;
  count bigint;
  wrong bigint;
begin
  select min(a.index), max(a.index), count(*) into first, newest, count from added a;
  if count = 0 then
    return null;
  end if;
  if newest - first + 1 <> count
     or first <> coalesce((select max(l.index) + 1 from transparency.leaf l
                           where l.index < first), 0) then
    raise exception 'leaves % to % do not follow the last one', first, newest
      using errcode = 'check_violation', hint = 'Append through sql.log, which holds the log.';
  end if;
  select a.index into wrong
  from (
    select n.*, (select p.leaf_hash from transparency.leaf p
                 where p.signal_id = n.signal_id and p.seq = n.seq - 1
                   and p.index < n.index) as prev
    from added n) a
  where (a.seq = 0) <> (a.prev is null)
     or a.leaf_hash <> sha256('\\x00'::bytea || a.body)
     or position(convert_to('"prev":"' || coalesce(encode(a.prev, 'hex'), '') || '"', 'UTF8')
                 in a.body) = 0
     or position(convert_to('"seq":' || a.seq || ',', 'UTF8') in a.body) = 0
     or position(convert_to('"kind":"' || a.kind || '"', 'UTF8') in a.body) = 0
     or (a.slot is not null
         and position(convert_to('"slot":' || extract(epoch from a.slot)::bigint
                                 || ',"ver":"' || a.version || '"', 'UTF8') in a.body) = 0)
  limit 1;
  if wrong is not null then
    raise exception 'leaf % does not continue its signal''s chain, or says what its row does not',
      wrong using errcode = 'check_violation',
      hint = 'Append through sql.log, which counts seq and chains prev.';
  end if;
  perform pg_notify('signalbox_leaf', '');
  return null;
end $$;
comment on function transparency.check_append() is
  'Trigger: positions and sequence numbers without gaps, each leaf chained and hashed rightly.';
create trigger leaf_check_append after insert on transparency.leaf
  referencing new table as added for each statement
  execute function transparency.check_append()
"""

CHECK_CHECKPOINT = """
create function transparency.check_checkpoint() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  last record;
  leaves bigint;
begin
  select c.size, c.root into last from transparency.checkpoint c
  where c.origin = new.origin order by c.id desc limit 1;
  if found and (new.size < last.size or (new.size = last.size and new.root <> last.root)) then
    raise exception 'a checkpoint of size % does not continue the last one, of size %',
      new.size, last.size using errcode = 'check_violation';
  end if;
  select coalesce(max(l.index) + 1, 0) into leaves from transparency.leaf l;
  if new.size > leaves then
    raise exception 'a checkpoint of size % over % leaves', new.size, leaves
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
comment on function transparency.check_checkpoint() is
  'Trigger: no checkpoint shrinks, has two roots, or covers leaves that are not there.';
create trigger checkpoint_check before insert on transparency.checkpoint
  for each row execute function transparency.check_checkpoint()
"""

EVIDENCE = """
create function transparency.proven_at(leaf_index bigint) returns timestamptz
language sql stable as $$
  select q.reached_at from transparency.quorum q
  where q.size > leaf_index order by q.size, q.checkpoint_id limit 1
$$;
comment on function transparency.proven_at(bigint) is
  'Evidence time of a leaf: when the first checkpoint over it had its quorum; null: not yet.';

create function forecast.proven_provenance(
  provenance text, slot timestamptz, leaf_index bigint, deadline interval, at timestamptz)
returns text language sql stable as $$
  select case
    when provenance <> 'live' then provenance
    when transparency.proven_at(leaf_index) <= slot + deadline then 'live'
    when transparency.proven_at(leaf_index) is null and at <= slot + deadline then 'pending'
    else 'late'
  end
$$;
comment on function forecast.proven_provenance is
  'Provenance as it can be proven: live only if a checkpoint over the leaf had its quorum by the'
  ' deadline; pending while it may still get it.';

create view transparency.coverage with (security_invoker = true) as
select coalesce(newest.index + 1, 0) as leaves,
       coalesce(signed.size, 0) as checkpoint_size,
       coalesce(proven.size, 0) as quorum_size,
       proven.reached_at as quorum_at,
       (select l.appended_at from transparency.leaf l
        where l.index = coalesce(proven.size, 0)) as uncovered_since
from (select 1) as one
left join lateral (select l.index from transparency.leaf l order by l.index desc limit 1) newest
  on true
left join lateral (select c.size from transparency.checkpoint c order by c.id desc limit 1) signed
  on true
left join lateral (select q.size, q.reached_at from transparency.quorum q
                   order by q.checkpoint_id desc limit 1) proven on true;
comment on view transparency.coverage is 'One row: how much of the log a checkpoint covers.';
comment on column transparency.coverage.leaves is 'In the log';
comment on column transparency.coverage.checkpoint_size is 'Of the newest signed checkpoint';
comment on column transparency.coverage.quorum_size is 'Of the newest one with its quorum';
comment on column transparency.coverage.quorum_at is 'When that one had its quorum';
comment on column transparency.coverage.uncovered_since is
  'When the oldest leaf was appended that no checkpoint with a quorum covers; null: none'
"""

SIGNED_NOTE = """
create view transparency.signed_note with (security_invoker = true) as
select c.id, c.size, c.signed_at, q.reached_at, q.policy,
       c.note || coalesce(
         (select string_agg(convert_to(s.line || chr(10), 'UTF8'), ''::bytea
                            order by s.key_name, s.key_hash)
          from transparency.cosignature s where s.checkpoint_id = c.id), ''::bytea) as note
from transparency.checkpoint c left join transparency.quorum q on q.checkpoint_id = c.id;
comment on view transparency.signed_note is 'Checkpoints with everything that was signed of them.';
comment on column transparency.signed_note.id is 'Of the checkpoint';
comment on column transparency.signed_note.size is 'Leaves below this index are covered';
comment on column transparency.signed_note.signed_at is 'When; proves nothing by itself';
comment on column transparency.signed_note.reached_at is 'When it had its quorum; null: not yet';
comment on column transparency.signed_note.policy is 'What the quorum had to be';
comment on column transparency.signed_note.note is 'Signed note with its cosignatures'
"""

# Hours in which a version was offline are not owed; the log must say so itself, whoever moved it.
# The log is held before the version's row: in the other order two moves of one version would
# wait for each other.
STATE_LEAF = """
create function registry.append_state_leaf() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  says text := case new.state when 'live' then 'live/v1' when 'offline' then 'offline/v1'
                              else 'retired/v1' end;
  signal text;
  last record;
  said bytea;
begin
  select p.handle || '/' || g.name into signal
  from registry.signal g join account.user_account p on p.id = g.provider_id
  where g.id = new.signal_id;
  select l.seq, encode(l.leaf_hash, 'hex') as hash into last from transparency.leaf l
  where l.signal_id = new.signal_id order by l.seq desc limit 1;
  -- Canonical: keys in order, and no letter in any value that JSON would escape.
  said := convert_to(format('{"kind":"%s","prev":"%s","seq":%s,"sig":"%s","ver":"%s"}', says,
    coalesce(last.hash, ''), coalesce(last.seq + 1, 0), signal, new.version), 'UTF8');
  insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, appended_at)
  select coalesce(max(l.index) + 1, 0), says, new.signal_id, coalesce(last.seq + 1, 0), said,
         sha256('\\x00'::bytea || said),
         coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now())
  from transparency.leaf l;
  return null;
end $$;
comment on function registry.append_state_leaf() is
  'Trigger: a version that goes offline, comes back or retires says so in the log.';
create function registry.hold_log() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(2);
  return null;
end $$;
comment on function registry.hold_log() is 'Trigger: nobody else appends until this has ended.';
create trigger version_hold_log before update of state on registry.version
  for each statement execute function registry.hold_log();
create trigger version_state_leaf after update of state on registry.version
  for each row when (old.state in ('live', 'offline') and new.state <> old.state)
  execute function registry.append_state_leaf()
"""

NOTIFY = """
create function transparency.notify_checkpoint() returns trigger language plpgsql as $$
begin
  perform pg_notify('signalbox_checkpoint', new.size::text);
  return null;
end $$;
comment on function transparency.notify_checkpoint() is
  'Trigger: streams go on from here; the payload is the size that is proven.';
create trigger quorum_notify after insert on transparency.quorum
  for each row execute function transparency.notify_checkpoint()
"""


# As 0002 had it for each row: once for each statement costs a third of that.
NOTIFY_SLOTS = """
drop trigger slot_record_notify on forecast.slot_record;
create or replace function forecast.notify_slot() returns trigger language plpgsql as $$
begin
  perform pg_notify('signalbox_slot', due.version_id::text)
  from (select distinct a.version_id from added a where a.leaf_index is not null) due;
  return null;
end $$;
create trigger slot_record_notify after insert on forecast.slot_record
  referencing new table as added for each statement execute function forecast.notify_slot()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    _leaf_columns()
    _tables()
    for table in INSERT_ONLY:
        op.execute(
            f"create trigger transparency_{table}_insert_only before update or delete"
            f" on transparency.{table} for each row execute function audit.refuse_change()"
        )
        op.execute(
            f"create trigger transparency_{table}_no_truncate before truncate"
            f" on transparency.{table} for each statement execute function audit.refuse_change()"
        )
    for statement in (CHECK_APPEND, CHECK_CHECKPOINT, EVIDENCE, SIGNED_NOTE, STATE_LEAF, NOTIFY,
                      NOTIFY_SLOTS):
        op.execute(statement)
    for function in (
        "transparency.check_append()",
        "transparency.check_checkpoint()",
        "registry.append_state_leaf()",
    ):
        op.execute(f"revoke all on function {function} from public")


def _leaf_columns() -> None:
    """What a due leaf's body says, where an index can see it; filled in for leaves there are."""
    op.add_column('leaf', sa.Column('version', sa.Text(), nullable=True, comment='Of forecast/v1 and missed/v1: the version that owed the slot, as in the body'), schema='transparency')
    op.add_column('leaf', sa.Column('slot', sa.DateTime(timezone=True), nullable=True, comment='Of forecast/v1 and missed/v1: the due slot, as in the body'), schema='transparency')
    op.execute("alter table transparency.leaf disable trigger transparency_leaf_insert_only")
    op.execute(
        "update transparency.leaf set version = said.body ->> 'ver',"
        " slot = to_timestamp((said.body ->> 'slot')::bigint)"
        " from (select l.index, convert_from(l.body, 'UTF8')::jsonb as body"
        "       from transparency.leaf l where l.kind in ('forecast/v1', 'missed/v1')) said"
        " where said.index = leaf.index"
    )
    op.execute("alter table transparency.leaf enable trigger transparency_leaf_insert_only")
    op.create_check_constraint(op.f('leaf_due_names_slot_and_version_check'), 'leaf', "(kind in ('forecast/v1', 'missed/v1')) = (slot is not null) and (slot is null) = (version is null)", schema='transparency')
    op.create_index('leaf_due_once', 'leaf', ['signal_id', 'version', 'slot'], unique=True, schema='transparency', postgresql_where=sa.text('slot is not null'))


def _tables() -> None:
    op.create_table('tile',
    sa.Column('level', sa.Integer(), autoincrement=False, nullable=False, comment='0: of leaf hashes'),
    sa.Column('index', sa.BigInteger(), autoincrement=False, nullable=False, comment='Within the level, from 0'),
    sa.Column('hashes', sa.LargeBinary(), nullable=False, comment='256 hashes of 32 bytes'),
    sa.Column('root', sa.LargeBinary(), nullable=False, comment='Of the subtree over them: one entry of the level above'),
    sa.CheckConstraint('octet_length(hashes) = 8192', name=op.f('tile_full_check')),
    sa.CheckConstraint('octet_length(root) = 32', name=op.f('tile_root_is_a_hash_check')),
    sa.PrimaryKeyConstraint('level', 'index', name=op.f('tile_pkey')),
    schema='transparency',
    comment='Full tiles of the tree (C2SP tlog-tiles); insert-only. Partial ones are read from the leaves or from the roots of the level below.'
    )
    op.create_table('checkpoint',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of signing'),
    sa.Column('origin', sa.Text(), nullable=False, comment='Name of the log, first line of the note'),
    sa.Column('size', sa.BigInteger(), nullable=False, comment='Leaves below this index are covered'),
    sa.Column('root', sa.LargeBinary(), nullable=False, comment='RFC 6962 tree hash of that size'),
    sa.Column('note', sa.LargeBinary(), nullable=False, comment="Signed note of the log's own keys, without cosignatures"),
    sa.Column('signed_at', sa.DateTime(timezone=True), nullable=False, comment='When; proves nothing by itself'),
    sa.CheckConstraint('octet_length(root) = 32', name=op.f('checkpoint_root_is_a_hash_check')),
    sa.CheckConstraint('size >= 0', name=op.f('checkpoint_not_negative_check')),
    sa.PrimaryKeyConstraint('id', name=op.f('checkpoint_pkey')),
    schema='transparency',
    comment="The log's size and root, signed; insert-only, never smaller."
    )
    op.create_index('checkpoint_size_idx', 'checkpoint', ['size'], unique=False, schema='transparency')
    op.create_table('cosignature',
    sa.Column('checkpoint_id', sa.BigInteger(), nullable=False, comment='Which checkpoint'),
    sa.Column('key_name', sa.Text(), nullable=False, comment="Name of the cosigner's key"),
    sa.Column('key_hash', sa.LargeBinary(), nullable=False, comment='Four bytes, as in the signature line'),
    sa.Column('timestamp', sa.DateTime(timezone=True), nullable=False, comment="By the cosigner's clock; it is signed"),
    sa.Column('line', sa.Text(), nullable=False, comment='Signature line of the note, without line end'),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False, comment='When it came, by our clock'),
    sa.CheckConstraint('octet_length(key_hash) = 4', name=op.f('cosignature_key_hash_has_four_bytes_check')),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['transparency.checkpoint.id'], name=op.f('cosignature_checkpoint_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('checkpoint_id', 'key_name', 'key_hash', name=op.f('cosignature_pkey')),
    schema='transparency',
    comment='What witnesses and monitors signed of a checkpoint; insert-only.'
    )
    op.create_table('quorum',
    sa.Column('checkpoint_id', sa.BigInteger(), nullable=False, comment='Which checkpoint'),
    sa.Column('size', sa.BigInteger(), nullable=False, comment='Of the checkpoint'),
    sa.Column('reached_at', sa.DateTime(timezone=True), nullable=False, comment='Evidence time: the last signature needed; by our clock if the log is alone'),
    sa.Column('policy', sa.Text(), nullable=False, comment='What was asked for, in words'),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['transparency.checkpoint.id'], name=op.f('quorum_checkpoint_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('checkpoint_id', name=op.f('quorum_pkey')),
    schema='transparency',
    comment='Checkpoints that had every signature the policy asks for; insert-only.'
    )
    op.create_index('quorum_size_idx', 'quorum', ['size'], unique=False, schema='transparency')
    op.create_table('anchor',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of arrival'),
    sa.Column('checkpoint_id', sa.BigInteger(), nullable=False, comment='Whose note was stamped'),
    sa.Column('kind', sa.Text(), nullable=False, comment='rfc3161'),
    sa.Column('authority', sa.Text(), nullable=False, comment='Address of the time-stamping authority'),
    sa.Column('token', sa.LargeBinary(), nullable=False, comment='DER of its TimeStampResp'),
    sa.Column('stamped_at', sa.DateTime(timezone=True), nullable=False, comment="By the authority's clock; it is signed"),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False, comment='When it came, by our clock'),
    sa.CheckConstraint("kind in ('rfc3161')", name=op.f('anchor_kind_known_check')),
    sa.ForeignKeyConstraint(['checkpoint_id'], ['transparency.checkpoint.id'], name=op.f('anchor_checkpoint_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('anchor_pkey')),
    schema='transparency',
    comment='Time-stamps of others over checkpoints; insert-only.'
    )
    op.create_index(op.f('anchor_checkpoint_id_idx'), 'anchor', ['checkpoint_id'], unique=False, schema='transparency')
