-- A year of generations and what is booked for them, for 1,000 accounts with ten live keys each: every other account is
-- free, the rest pay by the image. All in a schema of its own beside the migrated tables.

create schema bench;

create function bench.people() returns void language sql as $$
    insert into plans values ('free', 0, 0, 1000000, 1000000, null, 30, true),
                             ('payg', 0, 20000, null, 1000000, null, null, false);
    insert into accounts (id, email, email_folded, password_hash, plan, created_at)
    select 'acc_' || lpad(a::text, 22, '0'), a || '@example.com', a || '@example.com', 'none',
           case a % 2 when 0 then 'free' else 'payg' end, now() - interval '1 year'
    from generate_series(0, 999) a;
    insert into api_keys (id, account_id, mode, name, hash, last4, created_at)
    select 'key_' || lpad((a * 10 + k)::text, 22, '0'), 'acc_' || lpad(a::text, 22, '0'), 'live', 'key ' || k,
           sha256((a * 10 + k)::text::bytea), '0000', now() - interval '1 year'
    from generate_series(0, 999) a, generate_series(0, 9) k;
$$;

-- Those numbered from `first` to `last` of `total`, spread over the year that ended with yesterday in the order of time.
create function bench.generations(first bigint, last bigint, total bigint) returns void language sql as $$
    with made as (
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, created_at,
                                 finished_at, image_name, image_state, image_format, image_bytes, model, input_tokens,
                                 output_tokens, price_micro_usd, from_free_pool, cost_micro_usd,
                                 error_code, error_message, image_place, retention_s, expires_at)
        select 'gen_0' || lpad(n::text, 9, '0') || substr(md5(n::text), 1, 12),
               'acc_' || lpad(a::text, 22, '0'), 'key_' || lpad((a * 10 + n / 1000 % 10)::text, 22, '0'), 'live',
               'A cute banana wearing sunglasses on a beach, number ' || n, '1024x1024', 'natural',
               case when ok then 'succeeded' else 'failed' end, 1, at, at + interval '9 seconds',
               to_char(at at time zone 'utc', 'YYYY/MM/DD/') || substr(md5('image ' || n), 1, 30),
               case when ok then case when expires < now() then 'expired' else 'kept' end end, case when ok then 'png' end,
               case when ok then 1500000 end, case when ok then 'gemini-nano-banana-2.1' end,
               case when ok then 12 end, case when ok then 1290 end,
               case a % 2 when 0 then 0 else 20000 end, a % 2 = 0, case when ok then 38700 end,
               case when not ok then 'upstream_unavailable' end, case when not ok then 'The model is busy.' end,
               case when ok and (expires is null or expires >= now()) then 'store' end,
               case a % 2 when 0 then 30 * 86400 end, case when ok then expires end
        from generate_series(first, last) n,
             lateral (select n % 1000 as a, n % 37 <> 0 as ok,
                             date_trunc('day', now()) - interval '365 days' * (1 - n / total::float8) as at) of_n,
             lateral (select case a % 2 when 0 then at + interval '30 days 9 seconds' end as expires) of_picture
        returning *
    )
    insert into ledger (account_id, api_key_id, generation_id, kind, day, from_free_pool,
                        images, held_images, micro_usd, held_micro_usd, created_at)
    select account_id, api_key_id, id,
           case when holds then 'hold' when state = 'succeeded' then 'capture' else 'release' end,
           (created_at at time zone 'utc')::date, from_free_pool,
           images, sign, -images * price_micro_usd, sign * price_micro_usd,
           case when holds then created_at else finished_at end
    from made, (values (true, 1), (false, -1)) as movement (holds, sign),
         lateral (select (not holds and state = 'succeeded')::int as images) kept;
$$;

create function bench.sums() returns void language sql as $$
    insert into ledger (account_id, kind, day, micro_usd)
    select id, 'credit', now()::date, 1000000000000 from accounts where plan = 'payg';
    insert into balances (account_id, micro_usd) select account_id, sum(micro_usd) from ledger group by 1;
    insert into account_months (account_id, month, images, micro_usd)
    select account_id, date_trunc('month', day)::date, sum(images), -sum(micro_usd)
    from ledger where kind <> 'credit' group by 1, 2;
    insert into key_months (api_key_id, month, images)
    select api_key_id, date_trunc('month', day)::date, sum(images) from ledger where kind <> 'credit' group by 1, 2;
    insert into free_days (day, images) select day, sum(images) from ledger where from_free_pool group by 1;
    insert into usage_days (account_id, day, api_key_id, images, micro_usd, cost_micro_usd, failed)
    select account_id, (created_at at time zone 'utc')::date, api_key_id,
           count(*) filter (where state = 'succeeded'),
           coalesce(sum(price_micro_usd) filter (where state = 'succeeded'), 0),
           coalesce(sum(cost_micro_usd), 0), count(*) filter (where state = 'failed')
    from generations group by 1, 2, 3;
    insert into idempotency_keys (account_id, mode, key, fingerprint, generation_id)
    select account_id, mode, md5(id), sha256(id::bytea), id
    from generations where created_at > date_trunc('day', now()) - interval '1 day';
$$;
