"""Who has a key that suddenly does ten times its usual hour hears of it, once a day at most."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient

from nanobanana.domain.surges import rules
from nanobanana.domain.surges.types import KeyHour
from nanobanana.kit.ids import first_id
from nanobanana.services import Services
from tests.people import Person


@pytest.mark.parametrize(
    ("images", "earlier_hours", "usual", "surges"),
    [
        (100, 3, 10.0, True),
        (99, 3, 10.0, False),
        (100, 3, 10.1, False),
        (50, 3, 1.0, True),
        (49, 3, 1.0, False),
        (1_000, 2, 1.0, False),
        (1_000, 0, 0.0, False),
    ],
)
def test_a_surge_is_ten_times_the_usual_of_three_hours_and_fifty_images(
    images: int, earlier_hours: int, usual: float, *, surges: bool
) -> None:
    hour = KeyHour(
        api_key_id="key_1",
        hour=datetime.now(UTC),
        images=images,
        earlier_hours=earlier_hours,
        usual_images=usual,
    )
    assert rules.is_surge(hour) is surges


class Key:
    """Alice's live key, or her test key, and a past made up for it."""

    def __init__(self, services: Services, *, id: str, account_id: str, mode: str) -> None:
        self._services = services
        self.id = id
        self._owner = {"key": id, "account": account_id, "mode": mode}

    async def did(self, *images: int, hours_ago: int = 2) -> None:
        """In as many hours, the last one so long ago."""
        await self._services.database.statement(
            """
            insert into api_key_hours (api_key_id, hour, images)
            select %(key)s, date_trunc('hour', now(), 'UTC') - make_interval(hours => %(ago)s + n::int), images
            from unnest(%(images)s::int[]) with ordinality as past (images, n)
            """,
            {**self._owner, "images": list(images), "ago": hours_ago - 1},
        )

    async def is_admitted(self, images: int, *, at: datetime | None = None) -> None:
        """For so many images, now or at another moment."""
        moment = at or datetime.now(UTC)
        ids = [first_id("gen", moment + timedelta(milliseconds=n)) for n in range(images)]
        await self._services.database.statement(
            """
            insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt,
                                     image_name, created_at)
            select id, %(account)s, %(key)s, %(mode)s, '', '', '', 'failed', 1, id || now(), %(moment)s
            from unnest(%(ids)s::text[]) as id
            """,
            {**self._owner, "ids": ids, "moment": moment},
        )

    async def was_reported(self, *, hours_ago: int) -> None:
        await self._services.database.statement(
            "update api_keys set surge_reported_at = now() - make_interval(hours => %(ago)s) where id = %(key)s",
            {**self._owner, "ago": hours_ago},
        )


async def _key(services: Services, text: str) -> Key:
    bearer = await services.api_keys.resolve(text)
    return Key(services, id=bearer.api_key_id, account_id=bearer.account_id, mode=bearer.mode)


@pytest.fixture
async def key(services: Services, alice: Person) -> Key:
    return await _key(services, alice.key)


async def reports(services: Services) -> int:
    rows = await services.database.statement(
        "select 1 from procrastinate_jobs where task_name = 'send_key_surge'", {}
    )
    return len(rows)


async def mails(services: Services) -> list[dict[str, object]]:
    """Once every job is done."""
    async with asyncio.timeout(20):
        while await services.database.statement(
            "select 1 from procrastinate_jobs where status in ('todo', 'doing')", {}
        ):
            await asyncio.sleep(0.02)
    return await services.people.mailbox.newest()


async def test_the_owner_is_told_what_the_key_did_what_is_usual_and_what_to_do(
    services: Services, alice: Person, key: Key, client: AsyncClient
) -> None:
    await client.patch(f"/v1/keys/{key.id}", json={"name": "my <b>shop</b>"}, headers=alice.by_session)
    await key.did(110, 120, 130)
    await key.is_admitted(1_200)

    await services.people.surges.watch()

    [mail] = await mails(services)
    assert mail["recipient"] == alice.email
    for text in (str(mail["text"]), str(mail["html"])):
        for fact in (alice.key[-4:], "1,200", " 120", "/v1/keys/disable-all", f"/v1/keys/{key.id}/rotate"):
            assert fact in text
        assert alice.key not in text
    assert "my <b>shop</b>" in str(mail["text"])
    assert "my &lt;b&gt;shop&lt;/b&gt;" in str(mail["html"])


@pytest.mark.parametrize(("images", "told"), [(100, 1), (99, 0)])
async def test_ten_times_the_usual_hour_are_reported_and_less_is_not(
    services: Services, key: Key, images: int, told: int
) -> None:
    await key.did(5, 10, 15)
    await key.is_admitted(images)

    await services.people.surges.watch()

    assert await reports(services) == told


@pytest.mark.parametrize(("days_ago", "told"), [(6, 1), (8, 0)])
async def test_what_is_usual_is_known_from_the_last_seven_days(
    services: Services, key: Key, days_ago: int, told: int
) -> None:
    await key.did(5, 5)
    await key.did(5, hours_ago=24 * days_ago)
    await key.is_admitted(50)

    await services.people.surges.watch()

    assert await reports(services) == told


async def test_the_last_minutes_of_the_hour_that_ended_count_too(services: Services, key: Key) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await key.did(5, 5, 5)
    await key.is_admitted(50, at=this_hour - timedelta(seconds=1))

    await services.people.surges.watch()

    assert await reports(services) == 1


async def test_images_on_both_sides_of_an_hour_are_not_added_up(services: Services, key: Key) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await key.did(5, 5, 5)
    await key.is_admitted(30, at=this_hour - timedelta(seconds=1))
    await key.is_admitted(30, at=this_hour)

    await services.people.surges.watch()

    assert await reports(services) == 0


async def test_counting_again_and_from_many_processes_counts_nothing_twice(
    services: Services, key: Key
) -> None:
    for _ in range(2):
        await key.is_admitted(5)
        await asyncio.gather(*(services.people.surges.watch() for _ in range(20)))

    [counted] = await services.database.statement("select sum(images) as images from api_key_hours", {})
    assert counted["images"] == 10


async def test_twenty_processes_that_see_a_surge_at_once_send_one_mail(services: Services, key: Key) -> None:
    await key.did(5, 5, 5)
    await key.is_admitted(50)

    await asyncio.gather(*(services.people.surges.watch() for _ in range(20)))

    assert len(await mails(services)) == 1


@pytest.mark.parametrize(("hours_ago", "told"), [(23, 0), (25, 1)])
async def test_a_key_is_reported_once_a_day_at_most(
    services: Services, key: Key, hours_ago: int, told: int
) -> None:
    await key.did(5, 5, 5)
    await key.is_admitted(50)
    await key.was_reported(hours_ago=hours_ago)

    for _ in range(2):
        await services.people.surges.watch()

    assert await reports(services) == told


async def test_test_keys_cost_nothing_and_are_not_counted(services: Services, alice: Person) -> None:
    key = await _key(services, alice.test_key)
    await key.did(5, 5, 5)
    await key.is_admitted(50)

    await services.people.surges.watch()

    assert await reports(services) == 0
    assert len(await services.database.statement("select 1 from api_key_hours", {})) == 3


async def test_of_a_revoked_key_nobody_is_told_also_when_a_mail_was_under_way(
    services: Services, alice: Person, key: Key, client: AsyncClient
) -> None:
    await key.did(5, 5, 5)
    await key.is_admitted(50)
    assert (await client.delete(f"/v1/keys/{key.id}", headers=alice.by_session)).status_code == 204

    await services.people.surges.watch()
    assert await reports(services) == 0
    [hour] = await services.database.statement("select max(hour) as hour from api_key_hours", {})
    await services.people.surges.send_mail(key.id, hour=hour["hour"].isoformat())

    assert await mails(services) == []


async def test_hours_are_kept_for_eight_days(services: Services, key: Key) -> None:
    await key.did(1, hours_ago=8 * 24 - 1)
    await key.did(2, hours_ago=8 * 24 + 1)

    await services.people.surges.discard_old()

    kept = await services.database.statement("select images from api_key_hours", {})
    assert [row["images"] for row in kept] == [1]
