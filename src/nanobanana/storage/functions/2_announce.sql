-- Makes a delivery for each endpoint of the account that wants to hear of this, in the transaction of the cause.
-- `in_subject` is what the sender makes `data` of.
create or replace function announce(in_account_id text, in_type text, in_subject jsonb) returns void
language plpgsql as $$
declare
    new_event_id constant text := new_id('evt');
begin
    insert into webhook_deliveries (id, webhook_id, event_id, type, subject)
    select new_id('whd'), w.id, new_event_id, in_type, in_subject
    from webhooks w
    where w.account_id = in_account_id and w.deleted_at is null and w.disabled_reason is null
          and in_type = any(w.events)
    -- One that is being deleted is waited for, and then left out.
    order by w.id for key share;
end
$$;

-- Of a generation that has just reached its final state; who cancels one knows it. Nearly all accounts have no endpoint,
-- and cost one look into an index.
create or replace function announce_image(in_account_id text, in_id text, in_state text) returns void
language plpgsql as $$
begin
    if in_state <> 'cancelled'
       and exists (select from webhooks w where w.account_id = in_account_id and w.deleted_at is null) then
        perform announce(in_account_id, case in_state when 'succeeded' then 'image.completed' else 'image.failed' end,
                         jsonb_build_object('id', in_id));
    end if;
end
$$;
