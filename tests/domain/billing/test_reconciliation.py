"""What ledger, sums, generations and usage say of each other."""

from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person


async def test_a_day_on_which_every_image_of_a_key_failed_agrees(
    client: AsyncClient, services: Services, alice: Person
) -> None:
    order = {"prompt": "a banana [sandbox:truncate]"}
    assert (await client.post("/v1/generate", json=order, headers=alice.by_key)).status_code == 503

    assert await services.billing.reconcile() == []
