"""The playground: an order as the API takes it, its code, its cost, and what came of it."""

import ast
import asyncio
import html
import json
import re
import shlex
from datetime import datetime, timedelta

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.routes.service import Routes
from nanobanana.services import Services
from tests.people import Person
from tests.plans import put_on_plan
from tests.web.browser import FROM_OURS, log_in


def fields_of(page: Response) -> dict[str, str]:
    """The hidden ones, as a browser would send them."""
    form = page.text.split('action="/playground"')[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def keys_of(page: Response) -> list[tuple[str, str]]:
    """The keys that may pay: id and mode, as they are listed."""
    return re.findall(r'<option value="(key_\w+)"[^>]*>[^<]*\((live|test),', page.text)


async def key_of(client: AsyncClient, mode: str) -> str:
    keys = keys_of(await client.get("/playground"))
    return next(id for id, of in keys if of == mode)


async def order(client: AsyncClient, path: str = "/playground", **typed: str) -> Response:
    page = await client.get("/playground")
    form = {**fields_of(page), "key": keys_of(page)[0][0], "prompt": "a banana", **typed}
    return await client.post(path, data=form, headers=FROM_OURS)


async def result(client: AsyncClient, person: Person, location: str) -> Response:
    """Once it has ended, as a browser without scripts finds it."""
    id = location.removeprefix("/playground/")[:26]
    await client.get(f"/v1/generations/{id}?wait=30", headers=person.by_session)
    return await client.get(location.partition("#")[0])


async def images_of(services: Services) -> int:
    (row,) = await services.database.statement("select count(*) as number from generations", {})
    return row["number"]


async def test_an_order_becomes_a_picture_and_what_was_typed_stays(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    typed = {"prompt": "موزة\r\nصغيرة", "size": "896x1280", "style": "artistic", "retention": "2h"}
    answer = await order(client, **typed, format="png")
    location = answer.headers["location"]
    page = await result(client, alice, location)

    assert answer.status_code == 303
    assert re.fullmatch(r"/playground/gen_\w{22}\?retention=2h#result", location)
    assert re.search(
        r'<img class="made" src="/images/[^"]+\.png" alt="[^"]+" width="896" height="1280">', page.text
    )
    assert "Free: a test image" in page.text
    assert "موزة\nصغيرة</textarea>" in page.text
    for chosen in (
        'value="896x1280" checked',
        'value="artistic" checked',
        'value="png" selected',
        'value="2h"',
    ):
        assert chosen in page.text
    id = location[12:38]
    shown = (await client.get(f"/v1/generations/{id}", headers=alice.by_key)).json()
    assert (shown["prompt"], shown["mode"]) == ("موزة\nصغيرة", "test")
    stays = datetime.fromisoformat(shown["expires_at"]) - datetime.fromisoformat(shown["created_at"])
    assert timedelta(hours=2) <= stays < timedelta(hours=3)
    again = await client.get("/playground", params={"again": id})
    assert "موزة\nصغيرة</textarea>" in again.text


async def test_test_keys_pay_first_and_the_newest_of_them(client: AsyncClient, alice: Person) -> None:
    new = {"mode": "test", "name": "<New & bold>"}
    newest = (await client.post("/v1/keys", json=new, headers=alice.by_session)).json()["id"]
    await log_in(client, alice.email)
    page = await client.get("/playground")

    assert [mode for _, mode in keys_of(page)] == ["test", "test", "live"]
    assert f'<option value="{newest}" selected>&lt;New &amp; bold&gt; (test' in page.text


async def test_one_form_makes_one_image_however_often_it_is_sent(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    page = await client.get("/playground")
    form = {**fields_of(page), "key": await key_of(client, "live"), "prompt": "a banana"}
    answers = await asyncio.gather(
        *[client.post("/playground", data=form, headers=FROM_OURS) for _ in range(4)]
    )
    made = await result(client, alice, answers[0].headers["location"])
    late = await client.post("/playground", data=form, headers=FROM_OURS)

    assert len({answer.headers["location"] for answer in (*answers, late)}) == 1
    assert await images_of(services) == 1
    (month,) = await services.database.statement("select images, held_images from account_months", {})
    assert month == {"images": 1, "held_images": 0}
    changed = await client.post("/playground", data={**form, "prompt": "two"}, headers=FROM_OURS)
    assert (changed.status_code, "already made an image" in changed.text) == (422, True)
    assert fields_of(made)["once"] != form["once"] != fields_of(changed)["once"]
    other = await client.post("/playground", data={**form, **fields_of(made)}, headers=FROM_OURS)
    assert other.headers["location"] != late.headers["location"]


async def test_the_cost_stands_there_before_the_click(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    live = await key_of(client, "live")

    async def cost(**typed: str) -> str:
        page = await order(client, "/playground/preview", **typed)
        text = page.text.split('id="cost"')[1].split("</div>")[0].partition(">")[2]
        return html.unescape(" ".join(re.sub("<[^>]+>", "", text).split()))

    assert await cost() == "Free: drawn in the sandbox, with TEST across it."
    assert re.match(r"Takes 1 of [\d,]+ images left this month\.", await cost(key=live))
    await client.patch(f"/v1/keys/{live}", json={"monthly_image_cap": 1}, headers=alice.by_session)
    assert (await cost(key=live)).endswith("This key has 1 image left this month.")
    assert (await cost(prompt="a [test:rate_limited] cat")).startswith("Too fast. Too many requests.")
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    assert (await cost(key=live)).startswith("This key's images are used up.")
    await client.patch(f"/v1/keys/{live}", json={"monthly_image_cap": None}, headers=alice.by_session)
    await put_on_plan(services, alice, image=20_000)
    assert (await cost(key=live)).startswith("The balance is too low.")
    await services.billing.credit(email=alice.email, micro_usd=4_100_000)
    assert await cost(key=live) == "Takes $0.02 of $4.10."
    assert await images_of(services) == 1


async def test_the_code_is_the_very_order_in_each_language(client: AsyncClient, alice: Person) -> None:
    prompt = 'it\'s a "cat"\n\\ $HOME `x` </pre> 日本 🍌'
    await log_in(client, alice.email)
    page = await order(client, "/playground/preview", prompt=prompt, size="1280x896", retention="7d")
    wanted = {"prompt": prompt, "size": "1280x896", "retention": "7d"}
    curl, python, javascript = (
        html.unescape(text) for text in re.findall(r"<code>((?:curl|import|const)[^<]*)</code>", page.text)
    )

    words = shlex.split(curl.replace("\\\n", " "))
    assert json.loads(words[words.index("-d") + 1]) == wanted
    assert '"Authorization: Bearer $NANOBANANA_KEY"' in curl
    (call,) = [
        node for node in ast.walk(ast.parse(python)) if isinstance(node, ast.keyword) and node.arg == "json"
    ]
    assert ast.literal_eval(call.value) == wanted
    assert json.loads(javascript.split("JSON.stringify(")[1].split("),\n})")[0]) == wanted
    assert "nb_live_" not in page.text
    assert "nb_test_" not in page.text


async def test_all_that_cannot_be_so_is_told_at_once_and_stays(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    for prompt, problem in [
        ("", "This is required."),
        (" ", "This must not be empty."),
        ("x" * 4001, "at most 4,000 characters."),
    ]:
        page = await order(client, prompt=prompt, retention="5m", size="9x9")
        assert page.status_code == 400
        assert problem in page.text
        assert "This must be from 1h to 3650d." in page.text
        assert 'value="5m"' in page.text
    longest = await order(client, prompt="ж" * 4000)
    assert longest.status_code == 303
    assert await images_of(services) == 1
    await put_on_plan(services, alice, retention_days=30)
    too_long = await order(client, retention="31d")
    assert "Your plan keeps pictures for" in too_long.text


@pytest.mark.parametrize(
    ("word", "status", "told"),
    [
        ("invalid_api_key", 401, "This key does not work any more"),
        ("account_suspended", 403, "This account is suspended"),
        ("scope_missing", 403, "This key may not make images"),
        ("ip_not_allowed", 403, "This key may not be used from where you are"),
        ("quota_exceeded", 402, "This month's images are used up"),
        ("quota_exceeded=key_cap", 402, "This key's images are used up"),
        ("quota_exceeded=free_pool", 402, "Today's free images are used up"),
        ("quota_exceeded=balance", 402, "The balance is too low"),
        ("quota_exceeded=spending_cap", 402, "Your spending cap is reached"),
        ("idempotency_key_reused", 422, "This form has already made an image"),
        ("rate_limited", 429, "Try again in 30 seconds."),
        ("overloaded", 503, "More to do than we can take on"),
        ("internal_error", 500, "Something broke on our side"),
        ("no_such_word", 400, "There is no [test:no_such_word]."),
        ("content_policy", 303, "Refused by the content policy"),
        ("upstream_unavailable", 303, "The image model did not deliver"),
    ],
)
async def test_each_failure_says_what_it_is_what_to_do_and_that_it_costs_nothing(
    client: AsyncClient, alice: Person, word: str, status: int, told: str
) -> None:
    await log_in(client, alice.email)
    answer = await order(client, prompt=f"a cat [test:{word}]")
    assert answer.status_code == status
    page = await result(client, alice, answer.headers["location"]) if status == 303 else answer
    shown = html.unescape(page.text.split('id="result"')[1].split("</section>")[0])

    assert told in shown
    assert "Nothing was charged." in shown
    assert re.search(r'href="/docs/errors#\w+"', shown)
    assert f"a cat [test:{word}]</textarea>" in page.text
    assert (answer.headers["x-request-id"] in shown) == (status == 500)
    assert "www-authenticate" not in answer.headers


async def test_what_runs_says_so_and_shows_itself_when_it_is_there(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    location = (await order(client, prompt="a cat [test:slow=1]")).headers["location"]
    running = await client.get(location.partition("#")[0])

    assert "Being made" in running.text
    assert '<noscript><meta http-equiv="refresh" content="2; url=/playground/gen_' in running.text
    assert 'hx-trigger="every 1s"' in running.text
    part = await client.get(location.partition("#")[0], headers={"HX-Target": "section#result"})
    assert "Being made" in part.text
    assert "<html" not in part.text
    made = await result(client, alice, location)
    assert '<img class="made"' in made.text
    assert "every 1s" not in made.text


async def test_what_waits_for_the_model_says_its_place(
    client: AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Routes, "room", lambda _: 0)
    await log_in(client, alice.email)
    answer = await order(client, key=await key_of(client, "live"))
    page = await client.get(answer.headers["location"].partition("#")[0])

    assert "The image model is away. This waits for it, at place 1," in page.text
    assert "every 1s" in page.text


async def test_only_living_keys_of_the_account_pay(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    hers = await key_of(client, "live")
    await client.patch(f"/v1/keys/{hers}", json={"disabled": True}, headers=alice.by_session)
    assert hers not in str(keys_of(await client.get("/playground")))
    disabled = await order(client, key=hers)
    await client.patch(f"/v1/keys/{hers}", json={"disabled": False}, headers=alice.by_session)
    await log_in(client, charlie.email)
    refused = [disabled, *[await order(client, key=key) for key in (hers, "", "key_short")]]

    assert {answer.status_code for answer in refused} == {404}
    assert all("There is no such key" in answer.text for answer in refused)
    assert await images_of(services) == 0


async def test_a_key_stays_bound_to_its_addresses(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    key = await key_of(client, "test")
    await client.patch(f"/v1/keys/{key}", json={"allowed_addresses": ["192.0.2.1"]}, headers=alice.by_session)
    answer = await order(client)

    assert answer.status_code == 403
    assert "This key may not be used from where you are" in answer.text
    await client.patch(f"/v1/keys/{key}", json={"allowed_addresses": ["127.0.0.1"]}, headers=alice.by_session)
    assert (await order(client)).status_code == 303


async def test_without_a_key_the_page_leads_to_the_keys(client: AsyncClient, alice: Person) -> None:
    await client.post("/v1/keys/disable-all", headers=alice.by_session)
    await log_in(client, alice.email)
    page = await client.get("/playground")

    assert 'href="/keys">To your keys</a>' in page.text
    assert '<button class="make" disabled>' in page.text


async def test_somebody_elses_images_are_404_here_too(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    id = (await client.post("/v1/generate", json={"prompt": "x"}, headers=alice.by_key)).json()["id"]
    await log_in(client, charlie.email)
    answers = [
        await client.get(path) for path in (f"/playground/{id}", f"/playground?again={id}", "/playground/x")
    ]

    assert {answer.status_code for answer in answers} == {404}


async def test_what_can_be_nobodys_id_is_not_asked_for(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    for id in ("", "\0", "gen_\0", "key_" + "x" * 9_000):
        again = await client.get("/playground", params={"again": id})
        ordered = await order(client, key=id)

        assert (again.status_code, ordered.status_code) == (404, 404)
        assert "There is no such key" in ordered.text
