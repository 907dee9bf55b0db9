-- Whether one of the hashes is that of a text of this key, and the key may be used at this moment.
create or replace function key_lives(k api_keys, hashes bytea[]) returns boolean
language sql stable as $$
    select (k.hash = any(hashes) or (k.previous_hash = any(hashes) and k.previous_expires_at > now()))
           and k.revoked_at is null and not k.disabled and (k.expires_at is null or k.expires_at > now())
$$;
