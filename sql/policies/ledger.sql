-- Subscribers see their invoices, providers their payouts; the rest of the books is read by the
-- worker, or through functions that sum up. The owner is whom those functions act as.
do $$
declare
  name text;
begin
  foreach name in array array['entry', 'line', 'invoice', 'invoice_line', 'reversal', 'payout', 'card']
  loop
    execute format('alter table ledger.%I enable row level security', name);
    execute format('alter table ledger.%I force row level security', name);
    execute format('drop policy if exists owner_everything on ledger.%I', name);
    execute format('create policy owner_everything on ledger.%I to signalbox_owner'
                   ' using (true) with check (true)', name);
    execute format('drop policy if exists worker_reads on ledger.%I', name);
    execute format('create policy worker_reads on ledger.%I for select to signalbox_worker'
                   ' using (true)', name);
  end loop;
end $$;

drop policy if exists own_invoices on ledger.invoice;
create policy own_invoices on ledger.invoice for select to signalbox_api
  using (user_id = account.current_user_id());

drop policy if exists own_invoices on ledger.invoice_line;
create policy own_invoices on ledger.invoice_line for select to signalbox_api using (
  exists (select 1 from ledger.invoice i
          where i.number = invoice_number and i.user_id = account.current_user_id()));

drop policy if exists own_invoices on ledger.reversal;
create policy own_invoices on ledger.reversal for select to signalbox_api using (
  exists (select 1 from ledger.invoice i
          where i.number = invoice_number and i.user_id = account.current_user_id()));

drop policy if exists own_payouts on ledger.payout;
create policy own_payouts on ledger.payout for select to signalbox_api
  using (provider_id = account.current_user_id());
