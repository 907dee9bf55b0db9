-- Suspends an account, once: with a row in the audit log and a mail to its owner, or not at all. Gives whether it did.
create or replace function suspend_account(in_account_id text, in_actor text, in_detail jsonb) returns boolean
language plpgsql as $$
begin
    update accounts a set suspended_at = now()
    where a.id = in_account_id and a.suspended_at is null and a.erased_at is null;
    if not found then
        return false;
    end if;
    insert into audit_log (account_id, actor, action, detail) values (in_account_id, in_actor, 'suspend', in_detail);
    perform procrastinate_defer_jobs_v1(array[
        row('default', 'send_account_suspended', 0, null, null,
            jsonb_build_object('account_id', in_account_id), null)
    ]::procrastinate_job_to_defer_v1[]);
    return true;
end
$$;
