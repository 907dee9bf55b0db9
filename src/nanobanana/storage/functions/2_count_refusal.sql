-- Counts a prompt that a content policy refused, and suspends the account when those of the day have become too many, in
-- the transaction of the refusal. The lock of the account's row puts any number at once into an order; it is taken last.
create or replace function count_refusal(in_account_id text, in_refusals_per_day integer) returns void
language plpgsql as $$
declare
    today constant date := (now() at time zone 'utc')::date;
    counted record;
begin
    update accounts a
    -- A transaction that began before midnight may come here after one of the new day, and counts for that.
    set refusals = case when a.refused_on >= today then a.refusals + 1 else 1 end,
        refused_on = greatest(a.refused_on, today)
    where a.id = in_account_id
    returning a.refusals, a.refused_on into counted;
    if counted.refusals >= in_refusals_per_day then
        perform suspend_account(in_account_id, 'service',
                                jsonb_build_object('refusals', counted.refusals, 'day', counted.refused_on));
    end if;
end
$$;
