"""Subscriptions and ledger under thousands of random lives: people, webhooks and time in any order.

What Stripe holds is modelled here; a delivery reads it anew, as the API does, and puts it
through the inbox by the SQL that the API executes. Deliveries are drawn at random from all
that was ever said: some come twice, some late, some never, until the reconciliation.
"""

import uuid
from datetime import UTC, datetime, timedelta

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from psycopg.types.json import Jsonb

from sql.payments.effects import Failed, Paid, as_json
from tests.api.billing.their_side import PRICE, Invoice, Theirs

LIVES, DEEDS = 2000, 12
BEGIN = datetime.now(UTC).replace(microsecond=0)
MONTH = timedelta(days=30)
GRACE = timedelta(days=3)
HEARD = ("first", "last", "state", "all")
PICK = st.integers(0, 3)

TELL = """
create function pg_temp.tell(provider text, event text, effects jsonb, at timestamptz)
returns boolean language plpgsql as $$
begin
  insert into billing.payment_event (provider, external_id, kind, received_at, payload)
  values (provider, event, 'told', at, '{}') on conflict do nothing;
  return billing.apply_event(provider, event, effects, at, interval '3 days');
end $$;
create function pg_temp.act(who uuid, at timestamptz) returns void language sql as $$
  select set_config('app.user_id', who::text, true), set_config('app.now', at::text, true) $$
"""

# Access that nothing entitles to, and payments that buy no access.
UNJUST = """
create function pg_temp.unjust(people uuid[], at timestamptz) returns text[] language plpgsql as $$
declare
  who uuid;
  found text[] := '{}';
begin
  foreach who in array people loop
    perform pg_temp.act(who, at);
    found := found || array(
      with one as (
        select s.*, billing.is_entitled(s.signal_id) as entitled from billing.subscription s
        where s.user_id = who and s.state not in ('canceled', 'expired')),
      bought as (
        select p.*, p.period_end + case
            when exists (select 1 from billing.outbox x where x.kind = 'payment.failed'
                         and x.subscription_id = o.id) then interval '3 days'
            when o.payment_provider = 'stripe' and not o.cancel_at_period_end
              then interval '3 hours'
            else interval '0' end as until
        from billing.payment p join one o on o.id = p.subscription_id
        where p.kind = 'paid' and p.gave_access),
      kept as (
        select b.* from bought b where b.amount_minor > (
          select coalesce(sum(r.amount_minor), 0) from billing.payment r
          where r.paid_reference = b.reference and r.provider = b.provider))
      select 'access without entitlement' from one o
      where o.entitled and not exists (
          select 1 from kept k where k.subscription_id = o.id and at < k.until)
        and not exists (
          select 1 from billing.subscription_event e where e.subscription_id = o.id
            and e.to_state = 'trialing' and at < e.happened_at + interval '14 days 3 hours')
      union all
      select 'paid without access' from one o join kept k on k.subscription_id = o.id
      where not o.entitled and k.period_start <= at and at < k.period_end);
  end loop;
  return found;
end $$
"""
# At the end of a life: entries in balance, one invoice to a payment, and all money is what moved.
AMISS = """
select (select count(*) from (select from ledger.line l group by l.entry_id
                              having sum(l.amount_minor) <> 0) off)
     + (select count(*) from (select from billing.payment p where p.kind = 'paid'
                              group by p.invoice having count(*) > 1) twice)
"""
BOOKS = """
select coalesce((select sum(amount_minor) from ledger.line where account like 'cash:%%'), 0)
     - coalesce((select sum(case kind when 'paid' then amount_minor else -amount_minor end)
                 from billing.payment), 0)
     + coalesce((select sum(amount_minor) from ledger.line where account = 'payment_fee'), 0)
"""


class Lives(RuleBasedStateMachine):
    """One life after another in the same database; each is rolled back."""

    connection: psycopg.Connection
    people: tuple[uuid.UUID, ...]
    signals: tuple[int, ...]

    def __init__(self):
        super().__init__()
        self.now, self.number = BEGIN, 0
        self.opened: list[tuple[uuid.UUID, uuid.UUID, str]] = []
        self.theirs: list[Theirs] = []
        self.told: set[str] = set()
        self.changes, self.looked_at = 0, None

    def ask(self, query, *values):
        return self.connection.execute(query, values).fetchone()[0]

    def next(self) -> int:
        self.number += 1
        return self.number

    def act_as(self, who):
        self.ask("select pg_temp.act(%s, %s)", who, self.now)

    def tell(self, provider, event, effects):
        self.changes += 1
        said = Jsonb(as_json(effects))
        return self.ask("select pg_temp.tell(%s, %s, %s, %s)", provider, event, said, self.now)

    @initialize(with_trial=st.booleans())
    def begin(self, with_trial):
        self.open(0, 0, manual=False)
        self.check_out(self.opened[0][1], 0, with_trial=with_trial)
        self.open(1, 1, manual=True)

    @rule(person=st.integers(0, 1), signal=st.integers(0, 1), manual=st.booleans())
    def open_another(self, person, signal, manual):
        self.open(person, signal, manual=manual)

    def open(self, person, signal, *, manual):
        who = self.people[person]
        self.act_as(who)
        self.ask("select billing.settle(%s, %s)", who, self.now)
        held = self.connection.execute(
            "select 1 from billing.subscription where user_id = %s and signal_id = %s"
            " and state not in ('canceled', 'expired')",
            [who, self.signals[signal]],
        ).fetchone()
        if held is None:
            provider = "manual" if manual else "stripe"
            made = self.ask(
                "select billing.open_subscription(%s, %s, %s, %s)",
                self.signals[signal], provider, bytes([person]) * 32, self.now,
            )  # fmt: skip
            self.opened.append((who, made, provider))

    @rule(pick=PICK, declined=st.booleans())
    def press_the_test_button(self, pick, declined):
        manual = [one for one in self.opened if one[2] == "manual"]
        who, ours, _ = manual[pick % len(manual)]
        self.act_as(who)
        reference = f"m_{self.next()}"
        effect = (
            Failed(subscription=ours, reference=reference, attempt=reference)
            if declined
            else Paid(subscription=ours, reference=reference)
        )
        self.tell("manual", reference, [effect])
        assert self.tell("manual", reference, [effect]) is False

    @rule(pick=PICK, with_trial=st.booleans(), card=st.integers(0, 2))
    def check_out_again(self, pick, with_trial, card):
        """Also a second time, on a page that was left open."""
        at_stripe = [one for one in self.opened if one[2] == "stripe"]
        self.check_out(at_stripe[pick % len(at_stripe)][1], card, with_trial=with_trial)

    def check_out(self, ours, card, *, with_trial):
        trial = (self.now, self.now + timedelta(days=14)) if with_trial else None
        made = Theirs(ours, f"sub_{self.next()}", f"fp_{card}", trial)
        self.theirs.append(made)
        if not with_trial:
            self.collect(made, is_good=True)

    def collect(self, theirs, *, is_good):
        start = theirs.invoices[-1].end if theirs.invoices else self.now
        if theirs.trial and not theirs.invoices:
            start = theirs.trial[1]
        reference = f"in_{self.next()}"
        theirs.invoices.append(Invoice(reference, start, start + MONTH, is_good))

    @rule(pick=PICK, is_good=st.booleans())
    def renew_at_stripe(self, pick, is_good):
        one = self.theirs[pick % len(self.theirs)]
        last = one.invoices[-1] if one.invoices else None
        if one.ended_at:
            return
        if last and not last.paid:
            last.attempts += 1
            last.paid = is_good
        elif (last.end if last else one.trial[1]) <= self.now:
            self.collect(one, is_good=is_good)

    @rule(pick=PICK, amount=st.sampled_from([PRICE, 1000]), disputed=st.booleans())
    def give_back_at_stripe(self, pick, amount, disputed):
        one = self.theirs[pick % len(self.theirs)]
        for invoice in one.invoices[-1:]:
            if invoice.paid and disputed and not invoice.back:
                invoice.lost = True
            elif (
                invoice.paid and not invoice.lost and (sum(invoice.back.values()) + amount <= PRICE)
            ):
                invoice.back[f"re_{self.next()}"] = amount

    @rule(pick=PICK, at_once=st.booleans())
    def end_at_stripe(self, pick, at_once):
        one = self.theirs[pick % len(self.theirs)]
        one.ends = True
        if at_once and one.ended_at is None:
            one.ended_at = self.now

    @rule(pick=PICK, event=st.integers(0, 5), heard=st.sampled_from(HEARD))
    def deliver(self, pick, event, heard):
        """What is delivered under an id that came before has no effect, whatever it says."""
        one = self.theirs[pick % len(self.theirs)]
        name = f"evt_{one.external_id}_{event}"
        changed = self.tell("stripe", name, one.effects(heard))
        assert not (changed and name in self.told)
        self.told.add(name)

    @rule(pick=PICK, resumed=st.booleans())
    def cancel(self, pick, resumed):
        who, ours, _ = self.opened[pick % len(self.opened)]
        self.act_as(who)
        self.changes += 1
        self.ask("select billing.cancel(%s, %s)", ours, self.now)
        if resumed:
            self.ask("select billing.resume(%s)", ours)

    @rule(hours=st.sampled_from([1, 71, 24 * 8, 24 * 14, 24 * 31]))
    def wait(self, hours):
        self.now += timedelta(hours=hours)

    @rule(pick=PICK, seconds=st.sampled_from([-1, 0, 3600, 4 * 3600, 71 * 3600, 73 * 3600]))
    def wait_for_the_end_of_a_period(self, pick, seconds):
        one = self.theirs[pick % len(self.theirs)]
        ends = [one.trial[1]] if one.trial else []
        ends += [invoice.end for invoice in one.invoices]
        later = [end + timedelta(seconds=seconds) for end in ends]
        self.now = min((end for end in later if end > self.now), default=self.now)

    @invariant()
    def access_is_just(self):
        # Nothing of ours changes but by what was told, asked for, or by time.
        if self.looked_at != (self.now, self.changes):
            assert self.ask("select pg_temp.unjust(%s, %s)", list(self.people), self.now) == []
            self.looked_at = (self.now, self.changes)

    def teardown(self):
        try:
            for one in self.theirs:
                self.tell("stripe", f"reconciled:{one.external_id}:{self.next()}", one.effects())
                settled = self.tell("stripe", f"again:{self.next()}", one.effects())
                assert settled is False, "a reconciliation that finds the same changes nothing"
            self.ask("select billing.settle(null, %s)", self.now)
            self.changes += 1
            self.access_is_just()
            assert self.ask(BOOKS) == 0
            assert self.ask(AMISS) == 0
            for one in self.theirs:
                state = self.ask("select state from billing.subscription where id = %s", one.ours)
                assert not one.ended_at or state in ("canceled", "expired") or self.is_stray(one)
            self.connection.execute("set constraints all immediate")
        finally:
            self.connection.rollback()

    def is_stray(self, one):
        bound = "select external_id from billing.subscription where id = %s"
        return self.ask(bound, one.ours) != one.external_id


def test_no_order_of_acts_webhooks_and_time_breaks_access_or_the_books(database, make, ada):
    people = tuple(make.person(name).id for name in ("bob", "eve"))
    signals = tuple(
        make.signal(ada, name, trial_days=days).id for name, days in (("tide", 14), ("ebb", 0))
    )
    with database.superuser() as connection:
        connection.execute(TELL)
        connection.execute(UNJUST)
        connection.execute("set jit = off")
        connection.autocommit = False
        Lives.connection, Lives.people, Lives.signals = connection, people, signals
        run_state_machine_as_test(
            Lives,
            settings=settings(
                max_examples=LIVES,
                stateful_step_count=DEEDS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
