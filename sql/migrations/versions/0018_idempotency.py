"""Answers to creates that carried an Idempotency-Key; words of signals, to be searched."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = """
create table account.idempotent_answer (
  user_id uuid not null constraint idempotent_answer_user_id_fkey
    references account.user_account on delete restrict,
  route text not null,
  key text not null constraint idempotent_answer_key_length_check check (length(key) between 1 and 255),
  request_hmac bytea not null
    constraint idempotent_answer_hmac_length_check check (octet_length(request_hmac) = 32),
  created_at timestamptz not null,
  sealed_answer bytea not null,
  constraint idempotent_answer_pkey primary key (user_id, route, key));
create index idempotent_answer_created_at_idx on account.idempotent_answer (created_at);
comment on table account.idempotent_answer is
  'Answers to creates that carried an Idempotency-Key, for 24 hours.';
"""
COMMENTS = {
    "user_id": "Who asked",
    "route": "The operation, by its name in the API''s document",
    "key": "Idempotency-Key, as sent",
    "request_hmac": "HMAC-SHA256 of method, address and body under the API''s secret",
    "created_at": "When it was answered; forgotten 24 hours later",
    "sealed_answer": "AES-256-GCM: nonce and ciphertext of status, headers and body",
}
SEARCHED = """
alter table registry.signal add column words tsvector generated always as
  (to_tsvector('english', name || ' ' || title || ' ' || description)) stored;
create index signal_words_idx on registry.signal using gin (words);
comment on column registry.signal.words is 'Name, title and description, for searching';
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(TABLE)
    op.execute(SEARCHED)
    for column, text in COMMENTS.items():
        op.execute(f"comment on column account.idempotent_answer.{column} is '{text}'")
