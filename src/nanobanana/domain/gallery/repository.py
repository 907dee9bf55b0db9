from collections.abc import Sequence

from nanobanana.domain.gallery.types import Deletion, Leftover, NamedPicture
from nanobanana.domain.images.names import FileName
from nanobanana.kit.ids import first_id_of
from nanobanana.storage.database import Database


async def find_by_name(database: Database, file: FileName) -> NamedPicture | None:
    """By the moment in the name, which the row's id has too: the rows of one millisecond are looked at. Of erased accounts
    there is nothing, whatever is still there."""
    rows = await database.statement(
        """
        select g.image_name, g.image_format, g.image_place, g.expires_at,
               case when g.image_state = 'kept' and g.expires_at <= now() then 'expired'
                    else g.image_state end as image_state,
               ceil(extract(epoch from g.expires_at - now()))::bigint as keep_s
        from generations g join accounts a on a.id = g.account_id
        where g.id >= %(first)s and g.id < %(behind)s and g.image_name = %(name)s and a.erased_at is null
        """,
        {
            "first": first_id_of("gen", file.milliseconds),
            "behind": first_id_of("gen", file.milliseconds + 1),
            "name": file.name,
        },
    )
    return NamedPicture(**rows[0]) if rows else None


async def delete(
    database: Database, ids: Sequence[str], *, account_id: str
) -> tuple[dict[str, Deletion], list[Leftover]]:
    """Those of the account's generations that have ended show nothing of picture and prompt from now on: what became of
    each id, and where there are still bytes. In the order of their ids, so that nobody waits for another in a circle."""
    rows = await database.statement(
        """
        with ended as (
            update generations
            set prompt = '',
                expires_at = case when image_state is not null then least(expires_at, now()) end,
                image_state = case when image_state = 'kept'
                                   then case when expires_at <= now() then 'expired' else 'deleted' end
                                   else image_state end
            where id in (
                select id from generations
                where account_id = %(account_id)s and id = any(%(ids)s) and state not in ('queued', 'running')
                order by id for update
            )
            returning id, image_name, image_format, image_place
        ), untold as (
            -- Deliveries that are still to be tried hold the prompt: they are written anew, of what is left. `offset 0`
            -- begins with the account's endpoints, which most have none of, and not with what is due to everybody.
            update webhook_deliveries set body = null
            where id in (
                select d.id
                from (select id from webhooks where account_id = %(account_id)s and deleted_at is null offset 0) w
                cross join lateral (
                    select id, subject from webhook_deliveries
                    where webhook_id = w.id and due_at is not null and body is not null offset 0
                ) d
                join ended on ended.id = d.subject ->> 'id'
            )
        )
        select g.id, ended.id is not null as deleted,
               ended.image_name, ended.image_format, ended.image_place is not null as has_bytes
        from generations g left join ended on ended.id = g.id
        where g.account_id = %(account_id)s and g.id = any(%(ids)s)
        """,
        {"ids": list(ids), "account_id": account_id},
    )
    results: dict[str, Deletion] = dict.fromkeys(ids, "not_found")
    results |= {row["id"]: "deleted" if row["deleted"] else "not_deletable" for row in rows}
    leftovers = [
        Leftover(id=row["id"], image_name=row["image_name"], image_format=row["image_format"])
        for row in rows
        if row["has_bytes"]
    ]
    return results, leftovers


async def note_gone(database: Database, ids: Sequence[str]) -> None:
    """Nothing of their pictures is anywhere any more."""
    await database.statement(
        "update generations set image_place = null where id = any(%(ids)s) and expires_at <= now()",
        {"ids": list(ids)},
    )
