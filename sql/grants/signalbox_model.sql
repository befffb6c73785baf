-- What reads bars for a model: a role without login, taken on by the worker for one read.
-- It may execute one function and read no table, so that nothing past a slot's pin is in reach.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing from signalbox_model;
grant usage on schema market to signalbox_model;
grant execute on function market.bars_as_of(int[], timestamptz, timestamptz, timestamptz, bigint, boolean) to signalbox_model;
