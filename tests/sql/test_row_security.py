"""Row-level security, by the catalogue: whoever adds a table of people's rows is told."""

from sql.roles import API

# A row that names a person is that person's affair, unless it is everybody's. Each has its reason.
EVERYBODYS = {
    "account.user_account": "handles are public, logging in finds by e-mail before anybody is"
    " known, and operators' lists go through account.everybody",
    "registry.signal": "the catalogue; the provider is half of a signal's name",
    "registry.version": "the catalogue; facts of a version are public",
    "registry.version_event": "the record of a version; routes show it to owner and operators",
    "registry.signal_event": "no role that runs may read it",
}
ROOMS = "('account', 'audit', 'registry', 'market', 'forecast', 'transparency', 'score', 'billing')"


def names(connection, query, *values):
    return {row[0] for row in connection.execute(query, values)}


def test_every_table_that_names_a_person_has_row_security_enabled_forced_and_a_policy(database):
    with database.superuser() as connection:
        of_people = names(
            connection,
            "select c.conrelid::regclass::text from pg_constraint c where c.contype = 'f'"
            " and c.confrelid = 'account.user_account'::regclass"
            " union select 'account.user_account'",
        )
        secured = names(
            connection,
            "select c.oid::regclass::text from pg_class c where c.relrowsecurity"
            " and c.relforcerowsecurity and exists"
            " (select from pg_policy p where p.polrelid = c.oid)",
        )
    assert of_people - secured == set(EVERYBODYS)
    assert {"account.api_key", "account.data_source_key", "billing.subscription"} <= of_people


def test_a_policy_for_the_apis_role_never_admits_everything_of_a_persons_rows(database):
    with database.superuser() as connection:
        open_to_all = names(
            connection,
            "select tablename from pg_policies where %s = any (roles)"
            " and cmd <> 'INSERT' and qual = 'true'",
            API,
        )
    assert open_to_all == set()


def test_no_role_that_runs_is_above_row_security(database):
    with database.superuser() as connection:
        above = names(
            connection,
            "select rolname from pg_roles where rolname like 'signalbox%%'"
            " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)",
        )
        owners = names(
            connection,
            "select distinct pg_get_userbyid(c.relowner) from pg_class c"
            f" join pg_namespace n on n.oid = c.relnamespace where n.nspname in {ROOMS}",
        )
        members = names(
            connection,
            "select pg_get_userbyid(member) from pg_auth_members"
            " where roleid = 'signalbox_owner'::regrole"
            " and pg_get_userbyid(member) like 'signalbox%%'",
        )
    assert above == set()
    assert owners == {"signalbox_owner"}
    assert members == set()


def test_every_view_reads_with_the_rights_of_who_asks(database):
    # Views over what is public alone may do without; there are none of people's rows.
    with database.superuser() as connection:
        deep = names(
            connection,
            "select distinct v.oid::regclass::text from pg_class v"
            " join pg_namespace n on n.oid = v.relnamespace"
            " join pg_rewrite r on r.ev_class = v.oid"
            " join pg_depend d on d.objid = r.oid and d.refobjid <> v.oid"
            " join pg_class t on t.oid = d.refobjid and t.relrowsecurity"
            f" where v.relkind in ('v', 'm') and n.nspname in {ROOMS}"
            " and not coalesce('security_invoker=true' = any (v.reloptions)"
            "                  or 'security_invoker=on' = any (v.reloptions), false)",
        )
    assert deep == set()


def test_every_function_with_its_owners_rights_pins_its_search_path_and_is_not_everybodys(database):
    with database.superuser() as connection:
        careless = names(
            connection,
            "select p.oid::regprocedure::text from pg_proc p"
            " join pg_namespace n on n.oid = p.pronamespace"
            f" where n.nspname in {ROOMS} and p.prosecdef and ("
            " not exists (select from unnest(p.proconfig) c where c like 'search_path=%%')"
            " or (p.prorettype <> 'trigger'::regtype"
            "     and has_function_privilege('public', p.oid, 'execute')))",
        )
    assert careless == set()
