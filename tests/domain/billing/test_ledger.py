"""What owners see of the books: their own movements in order, and sums that are those of the ledger."""

from httpx2 import AsyncClient

from nanobanana.domain.plans.service import in_force
from nanobanana.services import Services
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan


async def id_of(services: Services, person: Person) -> str:
    (row,) = await services.database.statement(
        "select id from accounts where email = %(email)s", {"email": person.email}
    )
    return str(row["id"])


async def test_pages_are_the_accounts_rows_newest_first_whatever_is_added_meanwhile(
    services: Services, alice: Person, charlie: Person
) -> None:
    async def credit(person: Person, *sums: int) -> None:
        for micro_usd in sums:
            await services.billing.credit(email=person.email, micro_usd=micro_usd)

    await credit(alice, 1, 2, 3)
    await credit(charlie, 100)
    await credit(alice, 4, 5)
    account_id = await id_of(services, alice)
    seen, before = [], None
    for _ in range(3):
        page, before = await services.billing.movements(account_id=account_id, before=before, limit=2)
        seen.append([movement.micro_usd for movement in page])
        await credit(alice, 6)
        await credit(charlie, 6)

    assert (seen, before) == ([[5, 4], [3, 2], [1]], None)
    page, older = await services.billing.movements(account_id=account_id, before=None, limit=8)
    assert ([movement.micro_usd for movement in page], older) == ([6, 6, 6, 5, 4, 3, 2, 1], None)
    assert await services.billing.movements(account_id="usr_nobody", before=None, limit=8) == ([], None)


async def test_what_was_credited_and_spent_is_what_the_ledger_says(
    client: AsyncClient, services: Services, alice: Person, charlie: Person
) -> None:
    account_id = await id_of(services, alice)
    nothing = await services.billing.balance(account_id=account_id)
    assert (nothing.micro_usd, nothing.credited_micro_usd, nothing.spent_micro_usd) == (0, 0, 0)
    assert await services.billing.months(account_id=account_id, limit=2) == []

    for person in (alice, charlie):
        await put_on_plan(services, person, image=AN_IMAGE)
        await services.billing.credit(email=person.email, micro_usd=1_000_000)
        for prompt in ("a banana", "a banana", "[sandbox:truncate]"):
            await client.post("/v1/generate", json={"prompt": prompt}, headers=person.by_key)
    # In months before; those of a plan that was not paid by the image drew nothing.
    await services.database.statement(
        """
        insert into account_months (account_id, month, images, micro_usd)
        values (%(id)s, '2020-01-01', 3, 60000), (%(id)s, '2020-03-01', 7, 0)
        """,
        {"id": account_id},
    )
    balance = await services.billing.balance(account_id=account_id)
    months = await services.billing.months(account_id=account_id, limit=2)

    assert (balance.micro_usd, balance.held_micro_usd) == (1_000_000 - 2 * AN_IMAGE, 0)
    assert balance.spent_micro_usd == 2 * AN_IMAGE + 60_000
    assert balance.credited_micro_usd == balance.micro_usd + balance.spent_micro_usd
    assert [(month.images, month.micro_usd) for month in months] == [(2, 2 * AN_IMAGE), (7, 0)]


async def test_the_plans_in_force_are_told_with_the_least_to_pay_first(
    services: Services, alice: Person
) -> None:
    cheap = await put_on_plan(services, alice, month=1_000_000)
    dear = await put_on_plan(services, alice, image=10_000_000)
    names = [plan.name for plan in await in_force(services.database)]

    assert (names[:2], names[-1]) == (["free", cheap], dear)
