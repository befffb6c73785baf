"""What no process may do to people, tried as that process."""

import uuid

import psycopg
import pytest

from sql.roles import API, GIT, LOG, WORKER

PRIVATE = (
    "account.mail",
    "account.mail_token",
    "account.session",
    "account.totp",
    "account.recovery_code",
    "account.login_throttle",
    "account.terms_acceptance",
)


@pytest.fixture
def people(database):
    """Ada and bob, each with a row in every private table."""
    ids = {"ada": uuid.uuid4(), "bob": uuid.uuid4()}
    with database.superuser() as connection:
        for handle, id_ in ids.items():
            connection.execute(
                "insert into account.user_account values (%s, %s, %s, 'x', 'member', now())",
                [id_, handle, f"{handle}@example.org"],
            )
            connection.execute("select account.put_mail(%s, 'test', 's', 'token', now())", [id_])
            connection.execute(
                "insert into account.mail_token values (%s, %s, 'reset_password', 'a@b.c', now(),"
                " now() + interval '1 hour', null)",
                [id_.bytes, id_],
            )
            connection.execute(
                "insert into account.session values (gen_random_uuid(), %s, now(), now(), now(),"
                " null, '', '', false)",
                [id_],
            )
            connection.execute(
                "insert into account.totp values (%s, %s, now(), now(), 0)", [id_, b"x" * 48]
            )
            connection.execute(
                "insert into account.recovery_code values (%s, %s, null)", [id_, b"c"]
            )
            connection.execute(
                "insert into account.terms_acceptance values (%s, '1', now())", [id_]
            )
    return ids


def test_no_other_process_reads_mail_sessions_or_second_factors(database):
    for role in (GIT, WORKER, LOG):
        with database.connect(role) as connection:
            for attack in (
                *(f"select 1 from {table}" for table in PRIVATE),
                "select account.take_mail(now())",
                "select account.use_mail_token('x', 'reset_password', now())",
                "select account.forget_attempts('x')",
                "select account.erase_caller(now())",
                "select audit.acts_of_caller()",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(attack)


def acting(connection, user_id):
    connection.execute("select set_config('app.user_id', %s, false)", [str(user_id or "")])


def test_the_api_sees_and_changes_the_rows_of_the_person_who_asks_only(database, people):
    with database.connect(API) as connection:
        for who in (None, people["bob"]):
            acting(connection, who)
            for table in ("mail", "mail_token", "session", "totp", "recovery_code",
                          "terms_acceptance"):  # fmt: skip
                seen = connection.execute(
                    f"select user_id from account.{table} where user_id = %s", [people["ada"]]
                )
                assert seen.fetchall() == [], table
        for attack in (
            "update account.session set ended_at = now() where user_id = %s",
            "update account.totp set last_step = 0 where user_id = %s",
            "delete from account.totp where user_id = %s",
            "delete from account.recovery_code where user_id = %s",
            "update account.mail_token set used_at = now() where user_id = %s",
        ):
            assert connection.execute(attack, [people["ada"]]).rowcount == 0


def test_the_api_changes_no_fact_and_reads_no_token(database, people):
    with database.connect(API) as connection:
        acting(connection, people["ada"])
        for attack in (
            "select token_sha256 from account.mail_token",
            "update account.mail set text = 'x'",
            "insert into account.mail select * from account.mail",
            "delete from account.session",
            "delete from account.mail",
            "update account.totp set sealed_secret = ''",
            "update account.terms_acceptance set version = '2'",
            "update account.user_account set deleted_at = null",
            "update account.user_account set handle = 'x'",
            "select * from account.login_throttle",
            "update audit.event set detail = '{}'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


def test_a_row_in_the_name_of_somebody_else_is_refused(database, people):
    with database.connect(API) as connection:
        acting(connection, people["bob"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(
                "insert into account.terms_acceptance values (%s, '2', now())", [people["ada"]]
            )


def test_erasing_reaches_nobody_but_who_asks(database, people):
    with database.connect(API) as connection:
        acting(connection, None)
        connection.execute("select account.erase_caller(now())")
        acting(connection, people["bob"])
        connection.execute("select account.erase_caller(now())")
    with database.superuser() as connection:
        left = connection.execute(
            "select handle, email from account.user_account where deleted_at is null"
        ).fetchall()
    assert left == [("ada", "ada@example.org")]


def test_the_worker_writes_to_people_and_reads_no_letter(database, people):
    with database.connect(WORKER) as connection:
        connection.execute(
            "select account.put_mail(%s, 'dunning', 'Pay', 'Please', now())", [people["ada"]]
        )
    with database.superuser() as connection:
        kinds = connection.execute("select count(*) from account.mail").fetchone()
    assert kinds == (3,)


@pytest.mark.usefixtures("people")
def test_accepted_terms_are_changed_by_nobody(database):
    with database.superuser() as connection:
        for attack in ("update account.terms_acceptance set version = '2'",
                       "delete from account.terms_acceptance"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="insert-only"):
                connection.execute(attack)
