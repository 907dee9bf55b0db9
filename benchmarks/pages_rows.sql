-- Paid by the image, with nine live keys more; the time of every id is the row's.
update accounts set plan = 'payg', created_at = now() - interval '1 year' where email = %(email)s
---
insert into api_keys (id, account_id, mode, name, hash, last4, created_at)
select 'key_' || lpad(k::text, 22, '0'), a.id, 'live', 'key ' || k, sha256(k::text::bytea), '0000', now() - interval '1 year'
from accounts a, generate_series(1, 9) k where email = %(email)s
---
with keys as (select k.id, account_id, row_number() over (order by k.id) - 1 as nth
              from api_keys k join accounts a on a.id = k.account_id where email = %(email)s and mode = 'live')
insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, created_at, finished_at,
                         image_name, image_state, image_format, image_bytes, image_place, model, input_tokens,
                         output_tokens, price_micro_usd, cost_micro_usd, error_code, error_message)
select ids.id, account_id, keys.id, 'live', 'A cute banana wearing sunglasses on a beach, number ' || n, '1024x1024',
       'natural', case when ok then 'succeeded' else 'failed' end, 1, at, at + interval '9 seconds',
       image_name, case when ok then 'kept' end, case when ok then 'png' end, case when ok then 1500000 end,
       case when ok then 'store' end, case when ok then 'gemini-nano-banana-2.1' end, case when ok then 12 end,
       case when ok then 1290 end, 20000, case when ok then 38700 end,
       case when not ok then 'upstream_unavailable' end, case when not ok then 'The model is busy.' end
from ids join keys on keys.nth = n %% 10, lateral (select n %% 37 <> 0 as ok) of_n
---
with of_member as (select g.* from generations g join accounts a on a.id = g.account_id where a.email = %(email)s)
insert into ledger (account_id, api_key_id, generation_id, kind, day, images, held_images, micro_usd, held_micro_usd, created_at)
select account_id, api_key_id, id,
       case when holds then 'hold' when state = 'succeeded' then 'capture' else 'release' end,
       (created_at at time zone 'utc')::date, images, sign, -images * price_micro_usd, sign * price_micro_usd,
       case when holds then created_at else finished_at end
from of_member, (values (true, 1), (false, -1)) as movement (holds, sign),
     lateral (select (not holds and state = 'succeeded')::int as images) kept
order by 10
---
insert into ledger (account_id, kind, day, micro_usd)
select id, 'credit', now()::date, 1000000000000 from accounts where email = %(email)s
---
insert into balances (account_id, micro_usd) select account_id, sum(micro_usd) from ledger group by 1
---
insert into account_months (account_id, month, images, micro_usd)
select account_id, date_trunc('month', day)::date, sum(images), -sum(micro_usd) from ledger where kind <> 'credit' group by 1, 2
---
insert into key_months (api_key_id, month, images)
select api_key_id, date_trunc('month', day)::date, sum(images) from ledger where kind <> 'credit' group by 1, 2
---
insert into usage_days (account_id, day, api_key_id, images, micro_usd, cost_micro_usd, failed)
select g.account_id, (g.created_at at time zone 'utc')::date, api_key_id, count(*) filter (where state = 'succeeded'),
       coalesce(sum(price_micro_usd) filter (where state = 'succeeded'), 0), coalesce(sum(cost_micro_usd), 0),
       count(*) filter (where state = 'failed')
from generations g join accounts a on a.id = g.account_id where a.email = %(email)s group by 1, 2, 3
---
insert into webhooks (id, account_id, url, events, secret)
select 'whk_' || lpad(w::text, 22, '0'), id, 'https://example.com/' || w, '{image.completed,image.failed}', '\x00'
from accounts, generate_series(1, 5) w where email = %(email)s
---
insert into webhook_deliveries (id, webhook_id, event_id, type, subject, body, state, attempts, due_at, last_attempt_at,
                                last_status, created_at)
select replace(id, 'gen', 'whd'), 'whk_' || lpad((1 + n %% 5)::text, 22, '0'), replace(id, 'gen', 'evt'), 'image.completed',
       '{}', '{}', 'succeeded', 1, null, at, 204, at
from ids where n %% 10 = 0
