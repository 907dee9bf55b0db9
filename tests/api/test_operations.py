from httpx2 import ASGITransport, AsyncClient

from tests.people import Person


async def test_alive_and_ready(client: AsyncClient) -> None:
    alive = await client.get("/healthz")
    ready = await client.get("/readyz")

    assert alive.json() == {"status": "ok"}
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "draining": False, "database": True, "redis": True}


async def test_metrics_count_requests_generations_and_google_calls(
    client: AsyncClient, alice: Person
) -> None:
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    text = (await client.get("/metrics")).text

    for line in (
        'nanobanana_http_requests_total{method="POST",route="/v1/generate",status="200"}',
        'nanobanana_generations_total{mode="live",outcome="succeeded"}',
        'nanobanana_google_calls_total{result="image",route="sandbox"}',
        'nanobanana_generation_step_seconds_count{step="settle"}',
        "nanobanana_database_pool",
        'nanobanana_route_state{model="gemini-nano-banana-2.1",route="sandbox"}',
    ):
        assert line in text


async def test_names_of_pictures_and_guesses_become_no_time_series(
    client: AsyncClient, alice: Person
) -> None:
    made = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    picture = made.json()["url"].removeprefix("http://nanobanana.test/images/")
    guesses = ("/docs/a/guess", "/docs/", "/v1/keys/keys", "/webhooks/a/deliveries/a-guess")
    for path in (f"/images/{picture}", "/docs/reference/usage.md", *guesses):
        await client.get(path)

    text = (await client.get("/metrics")).text

    of_deliveries = "/webhooks/{id}/deliveries/{delivery_id}"
    for route in ("/images/{name}", "/docs/{name}", "/v1/keys/{id}", of_deliveries):
        assert f'route="{route}"' in text
    assert picture not in text
    assert "guess" not in text


async def test_metrics_are_hidden_from_other_machines(app: object) -> None:
    far = ASGITransport(app, client=("203.0.113.9", 5000))
    async with AsyncClient(transport=far, base_url="http://nanobanana.test") as stranger:
        assert (await stranger.get("/metrics")).status_code == 404


async def test_metrics_are_hidden_from_who_comes_through_a_proxy(client: AsyncClient) -> None:
    response = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})

    assert response.status_code == 404


async def test_the_openapi_document_describes_every_operation(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for operation in operations:
        assert operation["description"]
        assert operation["tags"]
    assert "422" not in document["paths"]["/v1/auth/login"]["post"]["responses"]
