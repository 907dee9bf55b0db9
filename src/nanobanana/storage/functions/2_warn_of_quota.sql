-- Defers a mail and tells webhooks when the month's images reach 80 % and 100 % of the plan's, each once a month, in
-- the transaction that captures the image.
create or replace function warn_of_quota(in_account_id text, in_month date) returns void language plpgsql as $$
declare
    reached record;
begin
    update account_months m
    set warned_percent = case when m.images >= p.images_per_month then 100 else 80 end
    from accounts a join plans p on p.name = a.plan
    where m.account_id = in_account_id and m.month = in_month and a.id = m.account_id
          and m.warned_percent < case when m.images >= p.images_per_month then 100
                                      when m.images * 100 >= p.images_per_month * 80 then 80 else 0 end
    returning m.warned_percent as percent, m.images, p.images_per_month as quota into reached;
    if found then
        perform procrastinate_defer_jobs_v1(array[
            row('default', 'send_quota_warning', 0, null, null,
                jsonb_build_object('account_id', in_account_id, 'percent', reached.percent), null)
        ]::procrastinate_job_to_defer_v1[]);
        perform announce(
            in_account_id, case reached.percent when 100 then 'quota.exhausted' else 'quota.warning' end,
            jsonb_build_object('percent', reached.percent, 'images', reached.images, 'quota', reached.quota,
                               'month', to_char(in_month, 'YYYY-MM'))
        );
    end if;
end
$$;
