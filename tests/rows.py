"""What stands in the tables, and rows put there by the thousand."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.people import Person


def rows_of_all_tables(url: str) -> Iterator[tuple[str, str]]:
    """Each as its table's name and JSON, without pictures."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        every = sql.SQL(" union all ").join(
            sql.SQL("select {}, (to_jsonb(t) - 'data')::text from {} t").format(name, sql.Identifier(name))
            for (name,) in tables
        )
        yield from connection.execute(every)


def insert_generations(
    database_url: str, person: Person, *, count: int, prompt: str = "a banana", first: int = 0
) -> list[str]:
    """Rows whose pictures are kept, with the ids from `first` on. Gives the names of the pictures."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            """
            insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt,
                                     finished_at, image_name, image_state, image_format, image_bytes,
                                     image_place)
            select 'gen_' || lpad(number::text, 22, '0'), a.id, k.id, 'live', %(prompt)s || ' ' || number, '1024x1024',
                   'natural', 'succeeded', 1, now(), '2026/11/28/' || substr(md5(random()::text), 1, 30), 'kept', 'png', 7,
                   'store'
            from accounts a
            join lateral (select id from api_keys where account_id = a.id and mode = 'live' limit 1) k on true
            cross join generate_series(%(first)s::int, %(first)s + %(count)s - 1) as number
            where a.email = %(email)s
            returning image_name || '.png'
            """,
            {"email": person.email, "count": count, "prompt": prompt, "first": first},
        ).fetchall()
    return [name for (name,) in rows]
