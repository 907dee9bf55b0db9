"""How links to this service begin, where no PUBLIC_URL says it."""

import pytest
from httpx2 import AsyncClient

PATHS = ("/", "/docs/quickstart", "/docs/reference/generations", "/llms-full.txt")


@pytest.mark.parametrize("host", ["pi.local:8000", "my_pi", "192.168.0.7:8000", "[fd00::7]:8000"])
async def test_links_begin_with_the_host_that_was_asked(client: AsyncClient, host: str) -> None:
    for path in PATHS:
        answer = await client.get(path, headers={"Host": host})
        assert (answer.status_code, f"http://{host}/" in answer.text) == (200, True)


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "a/b", "a@b", "a;b", 'a">b', "a)b", "a:b", "a" * 254])
async def test_what_is_no_host_goes_into_no_page(client: AsyncClient, host: str) -> None:
    for path in PATHS:
        answer = await client.get(path, headers={"Host": host})
        assert (answer.status_code, f"{host}/v1" in answer.text) == (400, False)
