"""What was made before names were paths below a day is found where its row says."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from nanobanana.cli.old_pictures import bring_to_days
from nanobanana.domain.images.names import parsed
from nanobanana.kit.ids import milliseconds_of, new_id
from nanobanana.storage.database import Database
from nanobanana.storage.migration import migrate

FIRST, SECOND, WAITING = (letter * 22 for letter in "abc")


@pytest.fixture
def before(database_url: str) -> Iterator[psycopg.Connection]:
    """The database as it was before the upgrade."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
        migrate(database_url, to="0013")
        yield connection


async def test_an_upgrade_renames_rows_files_and_waiting_bytes(
    before: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    ids = sorted(new_id("gen") for _ in range(3))
    _fill(before, dict(zip(ids, [FIRST, f"{SECOND}-2", WAITING], strict=True)))
    migrate(database_url)
    rows = before.execute("select image_name, image_place from generations order by id").fetchall()
    bytes_of = before.execute("select name from image_bytes").fetchall()
    _put_files(tmp_path)

    database = Database(database_url, size=1)
    await database.open()
    for _ in range(2):
        await bring_to_days(database, tmp_path)
    await database.close()

    first, second, waiting = (name for name, _ in rows)
    assert [place for _, place in rows] == ["store", "store", "database"]
    assert [parsed(f"{name}.png").milliseconds for name, _ in rows] == [milliseconds_of(id) for id in ids]
    assert bytes_of == [(f"{waiting}.png",)]
    assert _files(tmp_path) == {
        f"{first}.png": f"{FIRST}.png",
        f"{second}.png": f"{SECOND}-2.png",
        f"{second.removesuffix('-2')}.png": f"{SECOND}.png",
        f"xx/{'x' * 22}.png": f"{'x' * 22}.png",
    }


@pytest.mark.parametrize("has_store", [True, False])
def test_an_upgrade_gives_each_picture_its_time_from_then_on_and_guesses_none_away(
    before: psycopg.Connection, database_url: str, *, has_store: bool
) -> None:
    """Old pictures of a service without a store are gone already: its newer ones are all among the bytes."""
    old, new, waiting, deleted, failed, running = sorted(new_id("gen") for _ in range(6))
    names = {old: FIRST, waiting: WAITING, deleted: "d" * 22, failed: "e" * 22, running: "f" * 22}
    _fill(before, names | ({new: SECOND} if has_store else {}))
    for id, change in {
        old: "finished_at = now() - interval '40 days'",
        waiting: "finished_at = now() - interval '2 hours'",
        deleted: "image_state = 'deleted'",
        failed: "state = 'failed', image_state = null",
        running: "state = 'running', image_state = null, finished_at = null, lease_until = now()",
    }.items():
        before.execute(f"update generations set {change} where id = %s", [id])

    migrate(database_url)

    rows = before.execute("""
        select id, image_state, image_place,
               case when expires_at = (select expires_at from image_bytes) then 'with its bytes'
                    else round(extract(epoch from expires_at - now()) / 86400)::text end
        from generations
    """).fetchall()
    assert {id: tuple(row) for id, *row in rows} == {
        old: ("kept", "store", "30") if has_store else ("expired", "database", None),
        waiting: ("kept", "database", "with its bytes"),
        deleted: ("deleted", None, None),
        failed: (None, None, None),
        running: (None, None, None),
    } | ({new: ("kept", "store", "30")} if has_store else {})


def test_an_upgrade_keeps_what_webhooks_have_still_to_say(
    before: psycopg.Connection, database_url: str
) -> None:
    _fill(before, {})
    before.execute("""
        insert into webhooks (id, account_id, url, events, secret)
        values ('whk_1', 'usr_1', 'https://example.invalid/', '{image.completed}', 'x');
        insert into webhook_deliveries (id, webhook_id, event_id, type, subject, body, state, due_at) values
            ('whd_1', 'whk_1', 'evt_1', 'image.completed', '{}', 'a banana', 'succeeded', null),
            ('whd_2', 'whk_1', 'evt_2', 'image.completed', '{}', 'a banana', 'failed', null),
            ('whd_3', 'whk_1', 'evt_3', 'image.completed', '{}', 'a banana', 'pending', now())
    """)

    migrate(database_url)

    bodies = before.execute("select body from webhook_deliveries order by id").fetchall()
    assert bodies == [(None,), (None,), ("a banana",)]


def _put_files(folder: Path) -> None:
    for name in (f"{FIRST}.png", f"{SECOND}-2.png", f"{SECOND}.png", f"{'x' * 22}.png"):
        (folder / name[:2]).mkdir(exist_ok=True)
        (folder / name[:2] / name).write_text(name)


def _files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.png")}


def _fill(connection: psycopg.Connection, names: dict[str, str]) -> None:
    connection.execute("insert into plans values ('free', 0, 0, 50, 10, null, 30, true)")
    connection.execute("""
        insert into accounts (id, email, email_folded, password_hash, plan) values ('usr_1', 'a@b.c', 'a@b.c', 'x', 'free');
        insert into api_keys (id, account_id, mode, name, hash, last4) values ('key_1', 'usr_1', 'live', 'a key', 'of no use to anybody', '0000')
    """)
    for id, name in names.items():
        connection.execute(
            """
            insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt,
                                     finished_at, image_name, image_state, image_format, image_bytes)
            values (%s, 'usr_1', 'key_1', 'live', 'a banana', '1024x1024', 'natural', 'succeeded', 1,
                    now(), %s, 'kept', 'png', 7)
            """,
            [id, name],
        )
    connection.execute(
        "insert into image_bytes (name, data, expires_at) values (%s, 'picture', now() + interval '1 day')",
        [f"{WAITING}.png"],
    )
