-- Makes sure that one more order may wait until the transaction ends, or raises NB503.
create or replace function lock_queue(in_max_length bigint) returns void language plpgsql as $$
begin
    -- One at a time: each counts what the one before has added. Only orders that are to wait come here.
    perform pg_advisory_xact_lock(hashtext('the queue of generations'));
    if (select count(*) from generations g where g.state = 'queued') >= in_max_length then
        raise exception using errcode = 'NB503', message = 'queue_full';
    end if;
end
$$;
