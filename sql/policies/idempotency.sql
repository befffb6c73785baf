alter table account.idempotent_answer enable row level security;
alter table account.idempotent_answer force row level security;

drop policy if exists owner_everything on account.idempotent_answer;
create policy owner_everything on account.idempotent_answer to signalbox_owner
  using (true) with check (true);

drop policy if exists own_answers on account.idempotent_answer;
create policy own_answers on account.idempotent_answer to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());
