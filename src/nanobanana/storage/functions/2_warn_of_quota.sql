-- Defers a mail when the month's images reach 80 % and 100 % of the plan's, each once a month, in the transaction
-- that captures the image.
create or replace function warn_of_quota(in_account_id text, in_month date) returns void language plpgsql as $$
declare
    reached integer;
begin
    update account_months m
    set warned_percent = case when m.images >= p.images_per_month then 100 else 80 end
    from accounts a join plans p on p.name = a.plan
    where m.account_id = in_account_id and m.month = in_month and a.id = m.account_id
          and m.warned_percent < case when m.images >= p.images_per_month then 100
                                      when m.images * 100 >= p.images_per_month * 80 then 80 else 0 end
    returning m.warned_percent into reached;
    if found then
        perform procrastinate_defer_jobs_v1(array[
            row('default', 'send_quota_warning', 0, null, null,
                jsonb_build_object('account_id', in_account_id, 'percent', reached), null)
        ]::procrastinate_job_to_defer_v1[]);
    end if;
end
$$;
