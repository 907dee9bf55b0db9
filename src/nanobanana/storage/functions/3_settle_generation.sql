-- Ends one generation: its row in the final state and its hold captured (a picture is kept) or released, booked on the
-- periods in which it was admitted, and its end told to webhooks; a refused prompt of a live key counts against its
-- account. Gives no row, and changes nothing, when this attempt no longer holds the row.
create or replace function settle_generation(
    in_id text, in_attempt integer, in_state text, in_image_format text, in_image_bytes bigint, in_image_place text,
    in_model text, in_input_tokens integer, in_output_tokens integer, in_cost_micro_usd bigint, in_lost_attempts integer,
    in_error_code text, in_error_message text, in_retryable boolean, in_refusals_per_day integer
) returns setof generations language plpgsql as $$
declare
    settled generations;
    captured constant integer := (in_state = 'succeeded')::integer;
    booked_day date;
    booked_month date;
    price bigint;
begin
    update generations g
    set state = in_state, lease_until = null, finished_at = now(),
        image_state = case when in_state = 'succeeded' then 'kept' end,
        image_format = in_image_format, image_bytes = in_image_bytes, image_place = in_image_place,
        -- What no store holds waits a day for whoever ordered it.
        expires_at = case when in_state = 'succeeded' then now() + make_interval(
            secs => least(g.retention_s, case in_image_place when 'database' then 86400 end)) end,
        model = in_model, input_tokens = in_input_tokens, output_tokens = in_output_tokens,
        cost_micro_usd = in_cost_micro_usd, lost_attempts = in_lost_attempts,
        error_code = in_error_code, error_message = in_error_message
    -- Running or queued, said by its end: asked for by its state, the index of all that run would seem the shorter way,
    -- through every row in flight and every one settled since the last vacuum. Whoever claims a queued row makes it
    -- another attempt, so that who cancels it or lets it expire has the attempt it saw, or nothing.
    where g.id = in_id and g.attempt = in_attempt and g.finished_at is null
    returning g.* into settled;
    if not found then
        return;
    end if;

    if in_retryable then
        delete from idempotency_keys i where i.generation_id = settled.id;
    end if;

    if settled.mode = 'live' then
        booked_day := (settled.created_at at time zone 'utc')::date;
        booked_month := date_trunc('month', settled.created_at at time zone 'utc')::date;
        price := settled.price_micro_usd;

        update account_months m
        set images = m.images + captured, held_images = m.held_images - 1,
            micro_usd = m.micro_usd + captured * price, held_micro_usd = m.held_micro_usd - price
        where m.account_id = settled.account_id and m.month = booked_month;
        if price > 0 then
            update balances b
            set micro_usd = b.micro_usd - captured * price, held_micro_usd = b.held_micro_usd - price
            where b.account_id = settled.account_id;
        end if;
        update key_months m set images = m.images + captured, held_images = m.held_images - 1
        where m.api_key_id = settled.api_key_id and m.month = booked_month;
        if settled.from_free_pool then
            update free_days d set images = d.images + captured, held_images = d.held_images - 1
            where d.day = booked_day;
        end if;

        insert into ledger (account_id, api_key_id, generation_id, kind, day, from_free_pool,
                            images, held_images, micro_usd, held_micro_usd)
        values (settled.account_id, settled.api_key_id, settled.id,
                case captured when 1 then 'capture' else 'release' end, booked_day, settled.from_free_pool,
                captured, -1, -captured * price, -price);
        insert into usage_days as u (account_id, day, api_key_id, images, micro_usd, cost_micro_usd, failed, blocked)
        values (settled.account_id, booked_day, settled.api_key_id, captured, captured * price,
                coalesce(in_cost_micro_usd, 0), (in_state in ('failed', 'expired'))::integer,
                (in_state = 'blocked')::integer)
        on conflict (account_id, day, api_key_id) do update
            set images = u.images + excluded.images, micro_usd = u.micro_usd + excluded.micro_usd,
                cost_micro_usd = u.cost_micro_usd + excluded.cost_micro_usd,
                failed = u.failed + excluded.failed, blocked = u.blocked + excluded.blocked;
        if captured = 1 then
            perform warn_of_quota(settled.account_id, booked_month);
        end if;
        if in_state = 'blocked' then
            perform count_refusal(settled.account_id, in_refusals_per_day);
        end if;
    end if;

    perform announce_image(settled.account_id, settled.id, settled.state);
    return next settled;
end
$$;
