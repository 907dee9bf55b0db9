"""How a crowd shares the few connections to Redis."""

import asyncio
import os

import pytest

from nanobanana.storage.redis import open_redis


@pytest.mark.usefixtures("patience_with_redis")
async def test_connections_are_lent_in_the_order_in_which_they_are_asked_for() -> None:
    redis = open_redis(os.environ["TEST_REDIS_URL"], connections=1)
    order: list[str] = []

    async def ask_again_and_again(name: str, *, times: int) -> None:
        for _ in range(times):
            await redis.ping()
            order.append(name)

    greedy = asyncio.create_task(ask_again_and_again("greedy", times=50))
    while not order:
        await asyncio.sleep(0)
    await ask_again_and_again("patient", times=1)
    await greedy
    await redis.aclose()

    assert order.index("patient") <= 3
