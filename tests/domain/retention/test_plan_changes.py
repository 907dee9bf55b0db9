"""For how long pictures stay when their account comes to another plan."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person
from tests.plans import put_on_plan
from tests.rows import insert_generations

DAY = 86_400
FOR_GOOD = None
# Days: when it was made and when it goes, from now on; for how long the order wished to keep it, where it did.
Picture = tuple[float, float | None, float | None]


async def put(services: Services, alice: Person, database_url: str, pictures: list[Picture]) -> None:
    insert_generations(database_url, alice, count=len(pictures))
    for number, (made, goes, own) in enumerate(pictures):
        await services.database.statement(
            """
            update generations
            set finished_at = now() + %(made)s * interval '1 day', expires_at = now() + %(goes)s * interval '1 day',
                retention_s = coalesce(%(own)s, %(goes)s - %(made)s) * 86400, retention_is_own = %(own)s is not null
            where id = %(id)s
            """,
            {"id": f"gen_{number:022}", "made": made, "goes": goes, "own": own},
        )


async def come_to(services: Services, alice: Person, days: int | None) -> None:
    await put_on_plan(services, alice, retention_days=days)


async def fit(services: Services) -> None:
    """What the job does that the move has deferred."""
    [account] = await services.database.statement(
        "select id, plan_moved_at from accounts where plan_moved_at is not null", {}
    )
    await services.people.retention.fit_to_plan(account["id"], moved_at=account["plan_moved_at"])


async def kept(services: Services) -> list[tuple[float | None, float | None]]:
    """Of each picture: in how many days it goes, and for how many it is kept."""
    rows = await services.database.statement(
        """
        select round(extract(epoch from expires_at - now()) / 86400, 2)::float8 as goes, retention_s / 86400.0 as kept
        from generations order by id
        """,
        {},
    )
    return [(row["goes"], row["kept"] and float(row["kept"])) for row in rows]


async def mails(services: Services) -> list[dict[str, Any]]:
    return [mail for mail in await services.people.mailbox.newest() if "go on" in str(mail["subject"])]


async def test_an_upgrade_keeps_what_is_there_and_brings_nothing_back(
    services: Services, alice: Person, database_url: str
) -> None:
    pictures: list[Picture] = [(-20, 10, None), (-1, 29, None), (-40, -10, None), (-5, 2, 7)]
    await put(services, alice, database_url, pictures)

    await come_to(services, alice, 90)
    await fit(services)
    assert await kept(services) == [(70, 90), (89, 90), (-10, 30), (2, 7)]

    await come_to(services, alice, FOR_GOOD)
    await fit(services)
    assert await kept(services) == [(None, None), (None, None), (-10, 30), (2, 7)]
    assert await mails(services) == []


async def test_a_downgrade_gives_the_new_plans_time_from_that_day_on_and_says_so_once(
    services: Services, alice: Person, database_url: str
) -> None:
    pictures: list[Picture] = [
        (-300, None, None),
        (-1, None, None),
        (-85, 5, None),
        (-10, 350, 360),
        (-1, 1, 2),
    ]
    await put(services, alice, database_url, pictures)

    await come_to(services, alice, 30)
    await fit(services)

    told = await mails(services)
    shortened = [(30, 30), (30, 30), (5, 30), (30, 30), (1, 2)]
    assert await kept(services) == shortened
    # Begun anew, it does no more.
    await fit(services)
    assert await kept(services) == shortened
    assert len(told) == 1
    [row] = await services.database.statement(
        "select to_char(plan_moved_at at time zone 'utc', 'FMDD FMMonth YYYY') as moved_on,"
        " to_char(plan_moved_at at time zone 'utc' + interval '30 days', 'FMDD FMMonth YYYY') as gone_on"
        " from accounts where plan_moved_at is not null",
        {},
    )
    text = " ".join(str(told[0]["text"]).split())
    assert f"Your pictures older than {row['moved_on']} go on {row['gone_on']} (UTC)" in text
    assert str(told[0]["recipient"]) == alice.email


async def test_nobody_is_told_of_a_downgrade_that_concerns_no_picture(
    services: Services, alice: Person, database_url: str
) -> None:
    await put(services, alice, database_url, [(-85, 5, None), (-1, 1, 2), (-90, -60, None)])

    await come_to(services, alice, 30)
    await fit(services)

    assert await mails(services) == []


async def test_of_several_changes_the_last_one_counts(
    services: Services, alice: Person, database_url: str
) -> None:
    await put(services, alice, database_url, [(-20, 10, None)])
    for days in (FOR_GOOD, 7, FOR_GOOD, 60):
        await come_to(services, alice, days)
    jobs = await services.database.statement(
        "select args from procrastinate_jobs where task_name = 'fit_pictures_to_plan' order by id", {}
    )

    # In whatever order they are worked off.
    for job in reversed([row["args"] for row in jobs]):
        moved_at = datetime.fromisoformat(job["moved_at"])
        await services.people.retention.fit_to_plan(job["account_id"], moved_at=moved_at)

    assert await kept(services) == [(40, 60)]
    assert await mails(services) == []


async def test_what_goes_within_the_hour_is_rescued_at_once_and_the_rest_by_a_job_that_waits_for_admissions(
    services: Services, alice: Person, database_url: str
) -> None:
    hour = 1 / 24
    await put(services, alice, database_url, [(-30, 0.99 * hour, None), (-29, 1.01 * hour, None)])

    await come_to(services, alice, FOR_GOOD)

    assert [goes for goes, _ in await kept(services)] == [None, 0.04]
    [job] = await services.database.statement(
        "select status::text, scheduled_at - now() > interval '10 s' as waits from procrastinate_jobs"
        " where task_name = 'fit_pictures_to_plan'",
        {},
    )
    assert tuple(job.values()) == ("todo", True)
    await services.database.statement("update procrastinate_jobs set scheduled_at = now()", {})
    async with asyncio.timeout(20):
        while [goes for goes, _ in await kept(services)] != [None, None]:
            await asyncio.sleep(0.1)


async def test_images_that_are_being_made_follow_the_new_plan_and_those_of_test_keys_none(
    client: AsyncClient, services: Services, alice: Person
) -> None:
    await come_to(services, alice, 30)
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_test_key)
    body = {"prompt": "a banana [sandbox:latency=2]"}
    making = asyncio.create_task(client.post("/v1/generate", json=body, headers=alice.by_key))
    async with asyncio.timeout(10):
        while not await services.database.statement("select 1 from generations where state = 'running'", {}):
            await asyncio.sleep(0.01)

    await come_to(services, alice, 60)
    await fit(services)

    assert (await making).status_code == 200
    rows = await services.database.statement(
        "select mode, extract(epoch from expires_at - finished_at)::int / 86400 as days from generations order by mode",
        {},
    )
    assert [tuple(row.values()) for row in rows] == [("live", 60), ("test", 1)]


@pytest.mark.parametrize("place", ["database", None])
async def test_what_no_store_holds_stays_for_its_day(
    services: Services, alice: Person, database_url: str, place: str | None
) -> None:
    await put(services, alice, database_url, [(0, 1, None)])
    await services.database.statement("update generations set image_place = %(place)s", {"place": place})

    await come_to(services, alice, FOR_GOOD)
    await fit(services)

    assert await kept(services) == [(1, 1)]
