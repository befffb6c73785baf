"""Signed provenance, package policy, advisories, findings about images; versions move by function."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "registry.signal_event",
    "registry.package_rule",
    "registry.advisory_import",
    "registry.advisory_acceptance",
    "registry.image_finding",
    "registry.signing_key",
)

IS_QUARANTINED = """
create function registry.is_quarantined(digests text[]) returns boolean
language sql stable set search_path = pg_catalog as $$
  select exists (
    select 1 from unnest(digests) as one(digest)
    cross join lateral (select f.verdict from registry.image_finding f
                        where f.subject = one.digest order by f.id desc limit 1) newest
    where newest.verdict = 'altered')
$$;
comment on function registry.is_quarantined(text[]) is
  'Was one of these found altered, and not mended since?'
"""

# As in 0002, and: nothing goes live on bytes that are not what they were.
VERSION_CHANGE = """
create or replace function registry.refuse_version_change() returns trigger
language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'registry.version keeps every version: % refused', tg_op
      using errcode = 'insufficient_privilege';
  end if;
  if old.state not in ('building', 'rejected') and
     (to_jsonb(new) - 'state') is distinct from (to_jsonb(old) - 'state') then
    raise exception 'version % is published: only its state may change', old.version
      using errcode = 'insufficient_privilege';
  end if;
  if new.signal_id <> old.signal_id or new.version <> old.version then
    raise exception 'a reservation keeps its signal and version'
      using errcode = 'insufficient_privilege';
  end if;
  if new.state <> old.state and (old.state, new.state) not in (
      ('building', 'live'), ('building', 'rejected'), ('rejected', 'building'),
      ('live', 'offline'), ('offline', 'live'), ('live', 'retired'), ('offline', 'retired')) then
    raise exception 'a version cannot go from % to %', old.state, new.state
      using errcode = 'check_violation';
  end if;
  if new.state = 'live' and old.state <> 'live' and registry.is_quarantined(
      array[new.image_digest, new.base_digest, new.dependencies_digest, new.source_digest]) then
    raise exception 'version % is quarantined: its image was found altered', old.version
      using errcode = 'check_violation',
            hint = 'The operator restores the image store and runs signalbox image check.';
  end if;
  return new;
end $$
"""

MOVE_VERSION = """
create function registry.move_version(of_version bigint, next_state text, reason text)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  v record;
  actor uuid := account.current_user_id();
  at timestamptz := account.current_instant();
begin
  select x.state, x.signal_id, g.provider_id into v from registry.version x
    join registry.signal g on g.id = x.signal_id
    where x.id = of_version;
  if v.provider_id is null or v.provider_id is distinct from actor then
    raise exception 'only its provider moves a version' using errcode = 'insufficient_privilege';
  end if;
  if v.state not in ('live', 'offline') or next_state not in ('live', 'offline', 'retired')
     or v.state = next_state then
    raise exception 'a version cannot go from % to %', v.state, next_state
      using errcode = 'check_violation';
  end if;
  update registry.version x set state = next_state where x.id = of_version and x.state = v.state;
  if not found then
    raise exception 'the version was moved by another request' using errcode = 'check_violation';
  end if;
  insert into registry.version_event (version_id, at, actor_id, to_state, why)
    values (of_version, at, actor, next_state, reason);
  return (select max(l.index) from transparency.leaf l where l.signal_id = v.signal_id);
end $$;
comment on function registry.move_version(bigint, text, text) is
  'A provider takes a version offline or live, or retires it: state and event in one, with the'
  ' leaf that follows from the state; returns its index.'
"""

REPORT_IMAGE = """
create function registry.report_image(
  of_subject text, new_verdict text, details text, found_at timestamptz)
returns int language plpgsql security definer set search_path = pg_catalog as $$
declare
  moved int := 0;
  one record;
begin
  perform pg_advisory_xact_lock(3);
  if new_verdict in ('altered', 'mended') and
     registry.is_quarantined(array[of_subject]) = (new_verdict = 'altered') then
    return 0;
  end if;
  insert into registry.image_finding (subject, at, verdict, detail)
    values (of_subject, found_at, new_verdict, details);
  insert into audit.event (at, actor_id, action, subject, detail)
    values (found_at, null, 'image.' || new_verdict, of_subject,
            jsonb_build_object('detail', details));
  for one in
    select v.id, v.state, v.image_digest, v.base_digest, v.dependencies_digest, v.source_digest,
           (select e.why from registry.version_event e
            where e.version_id = v.id order by e.id desc limit 1) as why
    from registry.version v
    where of_subject in (v.image_digest, v.base_digest, v.dependencies_digest, v.source_digest)
    order by v.id
  loop
    if new_verdict = 'altered' and one.state = 'live' then
      update registry.version set state = 'offline' where id = one.id;
      insert into registry.version_event (version_id, at, actor_id, to_state, why)
        values (one.id, found_at, null, 'offline', 'quarantined: ' || details);
      moved := moved + 1;
    elsif new_verdict = 'mended' and one.state = 'offline' and one.why like 'quarantined: %'
        and not registry.is_quarantined(array[one.image_digest, one.base_digest,
                                              one.dependencies_digest, one.source_digest]) then
      update registry.version set state = 'live' where id = one.id;
      insert into registry.version_event (version_id, at, actor_id, to_state, why)
        values (one.id, found_at, null, 'live', 'the image is whole again: ' || details);
      moved := moved + 1;
    end if;
  end loop;
  return moved;
end $$;
comment on function registry.report_image(text, text, text, timestamptz) is
  'Notes what was found of an image; altered takes its versions offline, mended brings them back.'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    for name, kind, comment in (
        ("provenance", sa.Text(), "in-toto statement in a signed DSSE envelope, JSON"),
        ("scan", postgresql.JSONB(astext_type=sa.Text()), "What was known of its packages when it was built"),
    ):
        op.add_column("version", sa.Column(name, kind, nullable=True, comment=comment), schema="registry")
    op.create_table(
        "signal_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Order of insertion"),
        sa.Column("signal_id", sa.BigInteger(), nullable=False, comment="Which"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("actor_id", sa.Uuid(), nullable=True, comment="Null: the platform"),
        sa.Column("to_visibility", sa.Text(), nullable=False, comment="private or public"),
        sa.Column("why", sa.Text(), nullable=False, comment="Reason, for people"),
        sa.ForeignKeyConstraint(["actor_id"], ["account.user_account.id"], name=op.f("signal_event_actor_id_fkey"), ondelete="restrict"),
        sa.ForeignKeyConstraint(["signal_id"], ["registry.signal.id"], name=op.f("signal_event_signal_id_fkey"), ondelete="restrict"),
        sa.PrimaryKeyConstraint("id", name=op.f("signal_event_pkey")),
        schema="registry",
        comment="Every change of a signal's visibility; insert-only.",
    )
    op.create_index(op.f("signal_event_signal_id_idx"), "signal_event", ["signal_id"], unique=False, schema="registry")
    op.create_table(
        "package_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="The newest of a name counts"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("name", sa.Text(), nullable=False, comment="Normalised name of a package"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="allow, deny, or none: the rule is withdrawn"),
        sa.Column("why", sa.Text(), nullable=False, comment="Told to those who are refused"),
        sa.CheckConstraint("verdict in ('allow', 'deny', 'none')", name=op.f("package_rule_verdict_known_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("package_rule_pkey")),
        schema="registry",
        comment="The operator's list of packages; insert-only.",
    )
    op.create_table(
        "advisory_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="The newest counts"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("source", sa.Text(), nullable=False, comment="Name of the file"),
        sa.Column("digest", sa.Text(), nullable=False, comment="sha256 of the file"),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=True, comment="When the newest advisory in it was modified"),
        sa.Column("advisories", sa.Integer(), nullable=False, comment="How many concern packages of ours"),
        sa.PrimaryKeyConstraint("id", name=op.f("advisory_import_pkey")),
        schema="registry",
        comment="A database of advisories, as the operator brought it; insert-only.",
    )
    op.create_table(
        "advisory",
        sa.Column("import_id", sa.BigInteger(), nullable=False, comment="Which database"),
        sa.Column("advisory_id", sa.Text(), nullable=False, comment="Such as PYSEC-2024-1"),
        sa.Column("package", sa.Text(), nullable=False, comment="Normalised name"),
        sa.Column("summary", sa.Text(), nullable=False, comment="For people"),
        sa.Column("affected", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="OSV's versions and ranges of this package"),
        sa.ForeignKeyConstraint(["import_id"], ["registry.advisory_import.id"], name=op.f("advisory_import_id_fkey"), ondelete="restrict"),
        sa.PrimaryKeyConstraint("import_id", "package", "advisory_id", name=op.f("advisory_pkey")),
        schema="registry",
        comment="Known weaknesses of packages; the newest import replaces all before it.",
    )
    op.create_table(
        "advisory_acceptance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Order of insertion"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("advisory_id", sa.Text(), nullable=False, comment="Which advisory no longer refuses a build"),
        sa.Column("why", sa.Text(), nullable=False, comment="Reason, for people"),
        sa.PrimaryKeyConstraint("id", name=op.f("advisory_acceptance_pkey")),
        schema="registry",
        comment="Advisories that the operator lives with; insert-only.",
    )
    op.create_table(
        "image_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="The newest of a subject counts"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("subject", sa.Text(), nullable=False, comment="Digest of a layer or image, or a tag"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="altered, mended, or tag_moved"),
        sa.Column("detail", sa.Text(), nullable=False, comment="What was found, for people"),
        sa.CheckConstraint("verdict in ('altered', 'mended', 'tag_moved')", name=op.f("image_finding_verdict_known_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("image_finding_pkey")),
        schema="registry",
        comment="Images that are not what they were; insert-only.",
    )
    op.create_index(op.f("image_finding_subject_idx"), "image_finding", ["subject"], unique=False, schema="registry")
    op.create_table(
        "signing_key",
        sa.Column("key_id", sa.Text(), nullable=False, comment="sha256 (hex) of the public key's DER form"),
        sa.Column("public_key", sa.Text(), nullable=False, comment="Ed25519, PEM"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="When it was first used"),
        sa.PrimaryKeyConstraint("key_id", name=op.f("signing_key_pkey")),
        schema="registry",
        comment="Public keys that provenance was signed with; insert-only.",
    )
    for table in INSERT_ONLY:
        name = table.replace(".", "_")
        op.execute(
            f"create trigger {name}_insert_only before update or delete on {table}"
            " for each row execute function audit.refuse_change()"
        )
        op.execute(
            f"create trigger {name}_no_truncate before truncate on {table}"
            " for each statement execute function audit.refuse_change()"
        )
    for statement in (IS_QUARANTINED, VERSION_CHANGE, MOVE_VERSION, REPORT_IMAGE):
        op.execute(statement)
    for function in (
        "registry.move_version(bigint, text, text)",
        "registry.report_image(text, text, text, timestamptz)",
    ):
        op.execute(f"revoke all on function {function} from public")
