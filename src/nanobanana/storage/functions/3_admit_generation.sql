-- Admits one order, all or nothing: holds an image against every limit it counts for and bears the row, running; or
-- queued, when `in_queue_max_length` is not null, unless so many wait already; when that is less than none, nothing is
-- taken on.
-- Gives no row when the key may not do this at this moment; with `refusal`, nothing was changed: the limit that has no
-- room, or 'idempotency_key_reused'; with `replayed`, the generation that the idempotency key belongs to.
-- Raises NB402, with the limit as its message, when others took the last room while this one was being admitted,
-- NB401 when the account was erased meanwhile, and NB503 with 'queue_full', or 'store_outage' when nothing is taken on.
--
-- Locks are taken in one order, idempotency key → queue → account → API key → free day, here and in settle_generation:
-- two of them never wait for each other in a circle.
create or replace function admit_generation(
    in_id text, in_image_name text, in_api_key_id text, in_key_hash bytea, in_client_address inet,
    in_prompt text, in_size text, in_style text, in_format text,
    in_idempotency_key text, in_fingerprint bytea, in_free_images_per_day bigint,
    in_queue_max_length bigint default null, in_retention_s bigint default null
) returns table (
    generation generations, replayed boolean, refusal text, month_images bigint, month_limit bigint
) language plpgsql as $$
#variable_conflict use_column
declare
    today constant date := (now() at time zone 'utc')::date;
    this_month constant date := date_trunc('month', now() at time zone 'utc')::date;
    bearer record;
    earlier record;
    room record;
    queued boolean;
begin
    select k.account_id, k.mode into bearer
    from api_keys k join accounts a on a.id = k.account_id
    where k.id = in_api_key_id and key_lives(k, array[in_key_hash]) and 'generate' = any(k.scopes)
          and (k.allowed_addresses is null or in_client_address <<= any(k.allowed_addresses))
          and a.suspended_at is null;
    if not found then
        return;
    end if;

    select * into room from image_room(in_api_key_id, in_free_images_per_day);
    month_images := room.month_images;
    month_limit := room.month_limit;
    replayed := false;

    if in_idempotency_key is not null then
        -- Again when somebody else took the key in between: the insert has waited for that.
        loop
            select i.fingerprint, i.generation_id into earlier from idempotency_keys i
            where i.account_id = bearer.account_id and i.mode = bearer.mode and i.key = in_idempotency_key
                  and i.created_at > now() - interval '24 hours';
            if found and earlier.fingerprint <> in_fingerprint then
                refusal := 'idempotency_key_reused';
                return next;
                return;
            elsif found then
                select g.* into generation from generations g where g.id = earlier.generation_id;
                replayed := true;
                return next;
                return;
            end if;
            exit when bearer.mode = 'live' and room.full_limit is not null;
            insert into idempotency_keys as i (account_id, mode, key, fingerprint, generation_id)
            values (bearer.account_id, bearer.mode, in_idempotency_key, in_fingerprint, in_id)
            on conflict (account_id, mode, key) do update
                set fingerprint = excluded.fingerprint, generation_id = excluded.generation_id, created_at = now()
                where i.created_at <= now() - interval '24 hours';
            exit when found;
        end loop;
    end if;

    if in_queue_max_length < 0 then
        raise exception using errcode = 'NB503', message = 'store_outage';
    end if;
    if bearer.mode = 'live' then
        if room.full_limit is not null then
            refusal := room.full_limit;
            return next;
            return;
        end if;
        if in_queue_max_length is not null then
            perform lock_queue(in_queue_max_length);
        end if;
        month_images := hold_image(bearer.account_id, in_api_key_id, today, this_month, room);
    end if;

    queued := bearer.mode = 'live' and in_queue_max_length is not null;
    -- Waits for an erasure that has begun, and no erasure begins until the row is there to be seen.
    perform from accounts a where a.id = bearer.account_id and a.erased_at is null for key share;
    if not found then
        raise exception using errcode = 'NB401', message = 'the account is erased';
    end if;
    insert into generations (id, account_id, api_key_id, mode, prompt, size, style, format, image_name,
                             state, attempt, lease_until, price_micro_usd, from_free_pool, retention_s, retention_is_own)
    values (in_id, bearer.account_id, in_api_key_id, bearer.mode, in_prompt, in_size, in_style, in_format, in_image_name,
            case when queued then 'queued' else 'running' end, case when queued then 0 else 1 end,
            case when not queued then now() + interval '20 seconds' end,
            case when bearer.mode = 'live' then room.price_micro_usd else 0 end,
            bearer.mode = 'live' and room.from_free_pool,
            least(in_retention_s, case bearer.mode when 'test' then 86400 else room.retention_s end),
            in_retention_s is not null)
    returning generations.* into generation;
    if bearer.mode = 'live' then
        insert into ledger (account_id, api_key_id, generation_id, kind, day, from_free_pool, held_images, held_micro_usd)
        values (bearer.account_id, in_api_key_id, in_id, 'hold', today, room.from_free_pool, 1, room.price_micro_usd);
    end if;
    return next;
end
$$;
