-- Holds one image for an admission against all its limits, or raises NB402 with the name of the one that is full.
-- Gives the account's images of the month, this one included. Who waits here for another admission's lock sees what
-- that one has left: each condition is tested on the row as locked.
create or replace function hold_image(
    in_account_id text, in_api_key_id text, today date, this_month date, room record
) returns bigint language plpgsql as $$
declare
    month_images bigint;
begin
    insert into account_months as m (account_id, month, held_images, held_micro_usd)
    values (in_account_id, this_month, 1, room.price_micro_usd)
    on conflict (account_id, month) do update
        set held_images = m.held_images + 1, held_micro_usd = m.held_micro_usd + excluded.held_micro_usd
        where (room.month_limit is null or m.images + m.held_images < room.month_limit)
              and (room.price_micro_usd = 0 or room.spending_cap_micro_usd is null
                   or m.micro_usd + m.held_micro_usd + room.price_micro_usd <= room.spending_cap_micro_usd)
    returning m.images + m.held_images into month_images;
    if not found then
        raise exception using errcode = 'NB402',
            message = case when room.price_micro_usd > 0 then 'spending_cap' else 'account_month' end;
    end if;

    if room.price_micro_usd > 0 then
        update balances b set held_micro_usd = b.held_micro_usd + room.price_micro_usd
        where b.account_id = in_account_id and b.micro_usd - b.held_micro_usd >= room.price_micro_usd;
        if not found then
            raise exception using errcode = 'NB402', message = 'balance';
        end if;
    end if;

    insert into key_months as m (api_key_id, month, held_images) values (in_api_key_id, this_month, 1)
    on conflict (api_key_id, month) do update set held_images = m.held_images + 1
        where room.key_limit is null or m.images + m.held_images < room.key_limit;
    if not found then
        raise exception using errcode = 'NB402', message = 'key_cap';
    end if;

    if room.from_free_pool then
        insert into free_days as d (day, held_images) values (today, 1)
        on conflict (day) do update set held_images = d.held_images + 1
            where room.free_limit is null or d.images + d.held_images < room.free_limit;
        if not found then
            raise exception using errcode = 'NB402', message = 'free_pool';
        end if;
    end if;
    return month_images;
end
$$;
