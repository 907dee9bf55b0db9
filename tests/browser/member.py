"""An account with something of everything that pages show, and with what breaks them: names of a hundred letters, words
of three hundred, prompts from right to left, more rows than a page holds."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from httpx2 import AsyncClient

from nanobanana.kit.ids import first_id_of, new_id
from tests.browser.site import Site
from tests.people import PASSWORD, Person, sign_up

LONG_WORD = "Banana" * 50
HEBREW = "בננה חמודה עם משקפי שמש על החוף, 3 דקלים (NanoBanana) ברקע"
ARABIC = "موزة لطيفة ترتدي نظارات شمسية على الشاطئ"
HTML = '<b>bold</b> & "quoted" <script>alert(1)</script>'
DAYS, ROWS_MORE, DELIVERIES_MORE = 60, 120, 40


@dataclass(frozen=True)
class Member:
    person: Person
    # For the addresses of pages, by what they are of.
    ids: dict[str, str]


async def filled_account(client: AsyncClient, site: Site) -> Member:
    person = await sign_up(client, f"{'member.' * 8}account@a-rather-long-domain-name.example.com")
    await site.services.billing.move(email=person.email, plan="payg")
    await site.services.billing.credit(email=person.email, micro_usd=25_000_000, note="A gift")
    for device in ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Safari/604", LONG_WORD):
        login = {"email": person.email, "password": PASSWORD}
        await client.post("/v1/auth/login", json=login, headers={"User-Agent": device})
    client.headers |= person.by_session
    ids = {**await _keys(client), **await _generations(client, person), **await _webhooks(client)}
    ids["running"] = new_id("gen")
    _history(site.database_url, person, ids)
    return Member(person, ids)


async def _keys(client: AsyncClient) -> dict[str, str]:
    async def key(**settings: Any) -> str:
        made = await client.post("/v1/keys", json=settings)
        assert made.status_code == 201, made.text
        id: str = made.json()["id"]
        return id

    in_a_month = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT12:00:00Z}"
    networks = [f"203.0.113.{n}/32" for n in range(40)] + ["2001:db8::/32"]
    limits = {"monthly_image_cap": 1_000_000_000, "images_per_hour": 1_000_000, "expires_at": in_a_month}
    ids = {
        "key": await key(name="Production", monthly_image_cap=5_000),
        "key_long": await key(name=LONG_WORD[:100], allowed_addresses=networks, scopes=["read"], **limits),
        "key_hebrew": await key(name=HEBREW, mode="test"),
        "key_html": await key(name=HTML, scopes=["generate", "usage"]),
    }
    disabled, revoked, rotated = [await key(name=name) for name in ("Disabled", "Revoked", "Rotated")]
    await client.patch(f"/v1/keys/{disabled}", json={"disabled": True})
    await client.post(f"/v1/keys/{rotated}/rotate", json={})
    await client.delete(f"/v1/keys/{revoked}")
    return ids


async def _generations(client: AsyncClient, person: Person) -> dict[str, str]:
    async def made(prompt: str, *, by: dict[str, str] = person.by_key, **order: str) -> str:
        answer = await client.post("/v1/generate", json={"prompt": prompt, **order}, headers=by)
        id = (await client.get("/v1/generations", params={"limit": 1}, headers=by)).json()["data"][0]["id"]
        assert answer.status_code in {200, 422, 503}, answer.text
        return str(id)

    ids = {
        "expired": await made("a banana that is no longer kept"),
        "deleted": await made("a banana that was thrown away"),
        "failed": await made("[sandbox:truncate] a banana that never came"),
        "blocked": await made("[sandbox:image_safety] a banana that may not be"),
        "test": await made("a banana of a test", by=person.by_test_key),
        "html": await made(HTML, size="1408x768"),
        "long": await made(f"{LONG_WORD} {'a banana that goes on and on. ' * 100}", size="768x1408"),
        "arabic": await made(ARABIC, format="webp"),
        "hebrew": await made(HEBREW, style="artistic", size="896x1280"),
        "succeeded": await made("A cute banana wearing sunglasses on a beach"),
    }
    gone = await client.delete(f"/v1/generations/{ids['deleted']}")
    assert gone.is_success, gone.text
    return ids


async def _webhooks(client: AsyncClient) -> dict[str, str]:
    async def webhook(url: str, *events: str) -> str:
        made = await client.post("/v1/webhooks", json={"url": url, "events": events})
        assert made.status_code == 201, made.text
        id: str = made.json()["id"]
        return id

    ids = {
        "webhook": await webhook("https://127.0.0.1:9443/bananas", "image.completed", "image.failed"),
        "webhook_long": await webhook(f"https://127.0.0.1:9443/{LONG_WORD}?{LONG_WORD}=1", "key.rotated"),
    }
    await client.patch(f"/v1/webhooks/{ids['webhook_long']}", json={"disabled": True})
    return ids


def _history(database_url: str, person: Person, ids: dict[str, str]) -> None:
    """What came before today. The further rows show the pictures of the first ones."""
    now = datetime.now(UTC)

    def id_of(prefix: str, number: int) -> str:
        moment = now - timedelta(days=1) - timedelta(hours=7 * number)
        return first_id_of(prefix, int(moment.timestamp() * 1000))

    values = {
        "email": person.email,
        **ids,
        "days": DAYS,
        "generations": [id_of("gen", number) for number in range(ROWS_MORE)],
        "deliveries": [id_of("whd", number) for number in range(DELIVERIES_MORE)],
        "error": f"The receiver said nothing within 10 s. {LONG_WORD}",
        "body": json.dumps(
            {"type": "image.completed", "data": {"prompt": f"{HTML} {ARABIC}", "url": LONG_WORD}}
        ),
    }
    ids["delivery"] = values["deliveries"][2]  # pending
    with psycopg.connect(database_url) as connection:
        for statement in _HISTORY:
            connection.execute(statement, values)


_HISTORY = (
    """
    update generations set image_state = 'expired', image_place = null, prompt = '', expires_at = now() where id = %(expired)s
    """,
    """
    with of_member as (select g.*, row_number() over (order by g.id) - 1 as nth, count(*) over () as all_of_them
                       from generations g join accounts a on a.id = g.account_id where a.email = %(email)s),
         earlier as (select id, ordinality, now() - interval '1 day' - ordinality * interval '7 hours' as at
                     from unnest(%(generations)s::text[]) with ordinality as earlier (id, ordinality))
    insert into generations (id, account_id, api_key_id, mode, prompt, size, style, format, state, attempt, finished_at,
                             image_name, image_state, image_format, image_place, image_bytes, model, price_micro_usd,
                             error_code, error_message, created_at)
    select earlier.id, account_id, api_key_id, mode, prompt, size, style, format, state, attempt,
           at + interval '9 seconds', image_name, image_state, image_format, image_place, image_bytes, model,
           price_micro_usd, error_code, error_message, at
    from earlier join of_member on nth = ordinality %% all_of_them
    """,
    """
    insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, lease_until, image_name)
    select %(running)s, account_id, api_key_id, mode, prompt, size, style, 'running', 1, now() + interval '1 day', image_name
    from generations where id = %(succeeded)s
    """,
    """
    insert into usage_days (account_id, day, api_key_id, images, micro_usd, failed, blocked)
    select k.account_id, (now() at time zone 'utc')::date - n, k.id, n * 37 %% 101 * n %% 83, n * 37 %% 101 * 20000,
           n %% 5, n %% 7 / 6
    from api_keys k join accounts a on a.id = k.account_id, generate_series(1, %(days)s) n
    where a.email = %(email)s and n %% 9 <> 0
    """,
    """
    insert into webhook_deliveries (id, webhook_id, event_id, type, subject, body, state, attempts, due_at,
                                    last_attempt_at, last_status, last_error, created_at)
    select id, %(webhook)s, replace(id, 'whd', 'evt'), 'image.completed', '{}', %(body)s, state,
           case state when 'failed' then 10 else 1 end, case state when 'pending' then now() + interval '9 hours' end,
           now(), case state when 'succeeded' then 204 when 'failed' then 500 end,
           case when state <> 'succeeded' then %(error)s end, now() - n * interval '7 hours'
    from unnest(%(deliveries)s::text[]) with ordinality as earlier (id, n),
         lateral (select (array['succeeded', 'succeeded', 'failed', 'pending'])[1 + n %% 4] as state) of_n
    """,
)
