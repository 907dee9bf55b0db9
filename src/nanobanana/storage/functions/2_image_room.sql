-- What limits one more image of a key at this moment, and the first limit that has no room for it (else null).
-- Read without locks: who admits holds against the same limits again. A limit that is null is none.
create or replace function image_room(in_api_key_id text, in_free_images_per_day bigint) returns table (
    account_id text, plan text, price_micro_usd bigint, from_free_pool boolean,
    month_images bigint, month_limit bigint, month_micro_usd bigint, spending_cap_micro_usd bigint,
    balance_micro_usd bigint, key_images bigint, key_limit bigint, free_images bigint, free_limit bigint,
    retention_s bigint, full_limit text
) language sql stable rows 1 as $$
    with period as (
        select (now() at time zone 'utc')::date as day, date_trunc('month', now() at time zone 'utc')::date as month
    ), room as (
        select a.id, p.name, p.price_micro_usd_per_image as price, p.is_free,
               coalesce(m.images + m.held_images, 0) as month_images, p.images_per_month,
               coalesce(m.micro_usd + m.held_micro_usd, 0) as month_micro_usd, a.spending_cap_micro_usd,
               coalesce(b.micro_usd - b.held_micro_usd, 0) as balance,
               coalesce(km.images + km.held_images, 0) as key_images, k.monthly_image_cap,
               coalesce(f.images + f.held_images, 0) as free_images,
               case when p.is_free then in_free_images_per_day end as free_limit,
               p.retention_days * 86400::bigint as retention_s
        from period
        join api_keys k on k.id = in_api_key_id
        join accounts a on a.id = k.account_id
        join plans p on p.name = a.plan
        left join account_months m on m.account_id = a.id and m.month = period.month
        left join balances b on b.account_id = a.id
        left join key_months km on km.api_key_id = k.id and km.month = period.month
        left join free_days f on p.is_free and f.day = period.day
    )
    select room.*, case
        when month_images >= images_per_month then 'account_month'
        when price > balance then 'balance'
        when price > 0 and month_micro_usd + price > spending_cap_micro_usd then 'spending_cap'
        when key_images >= monthly_image_cap then 'key_cap'
        when free_images >= free_limit then 'free_pool'
    end
    from room
$$;
