"""What is S3's own; the rules of all stores are in tests/domain/images/test_stores.py."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import AsyncClient

from nanobanana.domain.images import headers
from nanobanana.domain.images.names import new_name
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.s3 import Bucket, open_bucket
from nanobanana.kit.ids import new_id
from tests.s3_fixtures import S3Bucket, open_test_bucket

NAME = f"{new_name(new_id('gen'))}.png"
WEEK_S = 604_800


def all_calls(bucket: Bucket) -> list[Callable[[], Awaitable[object]]]:
    return [
        lambda: bucket.put(NAME, b"picture" * 200_000, keep_s=None),
        lambda: bucket.get(NAME),
        lambda: bucket.names(NAME[:11]),
        lambda: bucket.delete([NAME]),
    ]


async def fetch(url: str) -> tuple[int, bytes]:
    async with AsyncClient() as http:
        response = await http.get(url)
        return response.status_code, response.content


class TestLinks:
    async def test_a_signed_link_gives_the_picture_and_nothing_else_does(self, s3_bucket: S3Bucket) -> None:
        bucket = open_test_bucket(s3_bucket)
        await bucket.put(NAME, b"picture", keep_s=None)
        link = bucket.link(NAME, expires_at=None)

        assert await fetch(link) == (200, b"picture")
        other_signature = link[:-1] + ("1" if link[-1] == "0" else "0")
        assert [
            (await fetch(url))[0]
            for url in (other_signature, link.partition("?")[0], link.replace(".png", ".jpg"))
        ] == [403, 403, 403]

    @pytest.mark.parametrize(
        ("left", "at_least_s", "at_most_s"),
        [
            (None, WEEK_S, WEEK_S),
            (timedelta(days=8), WEEK_S, WEEK_S),
            (timedelta(hours=1), 3_590, 3_600),
            (timedelta(seconds=-5), 1, 1),
        ],
    )
    def test_a_link_lives_for_a_week_and_never_longer_than_the_picture(
        self, left: timedelta | None, at_least_s: int, at_most_s: int
    ) -> None:
        """Made without a server anywhere."""
        bucket = open_test_bucket(S3Bucket(endpoint="http://127.0.0.1:9", name="nowhere"))
        link = bucket.link(NAME, expires_at=left and datetime.now(UTC) + left)

        [lifetime] = parse_qs(urlsplit(link).query)["X-Amz-Expires"]
        assert at_least_s <= int(lifetime) <= at_most_s

    async def test_with_a_public_domain_links_are_its(self, s3_bucket: S3Bucket) -> None:
        bucket = open_test_bucket(s3_bucket, public_url=s3_bucket.public_url)
        await bucket.put(NAME, b"picture", keep_s=None)
        link = bucket.link(NAME, expires_at=None)

        assert link == f"{s3_bucket.public_url}/{NAME}"
        assert await fetch(link) == (200, b"picture")


@pytest.mark.parametrize(
    ("keep_s", "cached_s"), [(None, 86_400), (86_400 * 30, 3_600), (3_600, 3_600), (3_599, 3_599)]
)
async def test_the_bucket_tells_type_name_and_how_long_to_cache(
    s3_bucket: S3Bucket, keep_s: int | None, cached_s: int
) -> None:
    bucket = open_test_bucket(s3_bucket)
    await bucket.put(NAME, b"picture", keep_s=keep_s)

    async with AsyncClient() as http:
        told = (await http.get(bucket.link(NAME, expires_at=None))).headers

    assert told["content-type"] == "image/png"
    assert told["cache-control"] == f"public, max-age={cached_s}, immutable"
    assert told["content-disposition"] == headers.of_stored(NAME, None)["Content-Disposition"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("secret_access_key", "SignatureDoesNotMatch"),
        ("access_key_id", "InvalidAccessKeyId"),
        ("bucket", "NoSuchBucket"),
    ],
)
async def test_who_is_not_let_in_gets_a_store_error_that_tells_no_secret(
    s3_bucket: S3Bucket, wrong: str, code: str
) -> None:
    bucket = open_test_bucket(s3_bucket, **{wrong: "not-the-one-of-the-tests"})
    put, *_, delete = all_calls(bucket)

    for call in (put, delete):
        with pytest.raises(StoreError) as error:
            await call()
        for secret in ("not-the-one", NAME, s3_bucket.name):
            assert secret not in str(error.value)
        assert str(error.value).endswith(code)


async def test_a_refused_connection_is_a_store_error_at_once() -> None:
    bucket = open_test_bucket(S3Bucket(endpoint="http://127.0.0.1:9", name="nowhere"))
    began = time.monotonic()

    for call in all_calls(bucket):
        with pytest.raises(StoreError):
            await call()

    assert time.monotonic() - began < 4


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte of the body, or of the head for who asks for no body, every now and then."""
    asks_for_body = (await reader.read(3)) == b"GET"
    gone = asyncio.create_task(reader.read())
    writer.write(
        b'HTTP/1.1 200 OK\r\nETag: "x"\r\nLast-Modified: Sat, 28 Nov 2026 19:08:49 GMT\r\nContent-Length: 9000\r\n'
    )
    writer.write(b"\r\n" if asks_for_body else b"X-Drops: ")
    while not gone.done():
        writer.write(b"x")
        await asyncio.sleep(0.2)


async def failing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.write_eof()
    await reader.read()


@asynccontextmanager
async def serving(answer: Callable[..., Awaitable[None]]) -> AsyncIterator[str]:
    connections: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        with suppress(ConnectionError):
            await answer(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("answer", [silent, dripping, failing])
async def test_a_server_that_does_not_get_to_the_end_is_a_store_error_within_seconds(
    answer: Callable[..., Awaitable[None]],
) -> None:
    async with serving(answer) as url:
        bucket = open_test_bucket(S3Bucket(endpoint=url, name="slow"))
        began = time.monotonic()

        results = await asyncio.gather(*(call() for call in all_calls(bucket)), return_exceptions=True)

        assert [type(result) for result in results] == [StoreError] * len(results)
        assert time.monotonic() - began < 6


def test_http_is_for_endpoints_that_say_so() -> None:
    """An https endpoint never falls back: a bucket is asked over what its address says."""
    bucket = open_bucket(
        endpoint="https://account.r2.cloudflarestorage.com",
        bucket="pictures",
        region="auto",
        access_key_id="id",
        secret_access_key="secret",
        headers=headers.of_stored,
        public_url=None,
    )

    assert bucket.link(NAME, expires_at=None).startswith(
        f"https://account.r2.cloudflarestorage.com/pictures/{NAME}?"
    )
