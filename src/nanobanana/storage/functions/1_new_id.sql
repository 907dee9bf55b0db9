-- An id as kit/ids.py makes them: 22 base62 characters of 48 bits of milliseconds, then 80 random bits.
create or replace function new_id(prefix text) returns text language plpgsql volatile as $$
declare
    alphabet constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    -- Version and variant of the UUID stand between these 80 bits.
    chance constant text := overlay(replace(gen_random_uuid()::text, '-', '') placing '' from 13 for 12);
    number numeric := floor(extract(epoch from clock_timestamp()) * 1000) * 2::numeric ^ 80
                      + ('x' || left(chance, 10))::bit(40)::bigint * 2::numeric ^ 40
                      + ('x' || right(chance, 10))::bit(40)::bigint;
    digits text := '';
begin
    for _ in 1..22 loop
        digits := substr(alphabet, (number % 62)::integer + 1, 1) || digits;
        number := div(number, 62);
    end loop;
    return prefix || '_' || digits;
end
$$;
