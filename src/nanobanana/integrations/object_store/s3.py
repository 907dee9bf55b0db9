"""Pictures in a bucket of S3's kind: Cloudflare R2, or any other that speaks its protocol."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from nanobanana.integrations.object_store.errors import StoreError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Credential

# With one retry of what failed at once, a call ends within five seconds, whatever the other side does: a caller waits.
PATIENCE_S = 4
_CLIENT: "ClientConfig" = {
    "connect_timeout": timedelta(seconds=1),
    # One that the other side closes just when it is used would fail a put.
    "pool_idle_timeout": timedelta(seconds=15),
}
_RETRY: "RetryConfig" = {
    "max_retries": 1,
    "retry_timeout": timedelta(milliseconds=800),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(milliseconds=200),
        "base": 2,
    },
}
# As many as a server gives at a time.
_PAGE = 1_000
# As long as the protocol lets a signed link live.
_LINK_LIFETIME = timedelta(days=7)

# What is told of an object when it is fetched from the bucket: of its name, kept for so many seconds or for good.
Headers = Callable[[str, int | None], dict[str, str]]


class Bucket:
    """`public_url` is where everybody can fetch the objects; without it links are signed, which asks nobody."""

    place: Literal["store"] = "store"

    def __init__(self, store: S3Store, *, headers: Headers, public_url: str | None) -> None:
        self._store = store
        self._headers = headers
        self._public_url = public_url

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        """The bytes go out as they lie in memory. Raises StoreError; a name that is taken stays as it is."""
        try:
            with suppress(AlreadyExistsError):
                await obstore.put_async(
                    self._store,
                    name,
                    data,
                    attributes=self._headers(name, keep_s),
                    mode="create",
                    use_multipart=False,
                )
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    async def get(self, name: str) -> bytes | None:
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    async def has(self, name: str) -> bool:
        try:
            await obstore.head_async(self._store, name)
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise _store_error(error) from None
        return True

    async def delete(self, names: Sequence[str]) -> None:
        """A thousand a call. For good once this returns; a name that is not there is fine. Raises StoreError."""
        if not names:
            return
        try:
            await obstore.delete_async(self._store, names)
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    def link(self, name: str, *, expires_at: datetime | None) -> str:
        if self._public_url:
            return f"{self._public_url}/{name}"
        lifetime = _LINK_LIFETIME
        if expires_at:
            lifetime = max(min(lifetime, expires_at - datetime.now(UTC)), timedelta(seconds=1))
        return obstore.sign(self._store, "GET", name, lifetime)

    @cached_property
    def origin(self) -> str:
        """Where links lead: scheme and host."""
        link = urlsplit(self.link("any", expires_at=None))
        return f"{link.scheme}://{link.netloc}"

    def file(self, name: str) -> None:
        del name

    async def names(self, beginning: str) -> list[str]:
        """From the beginning on, until a name has another: lists are sorted, and prefixes of whole folders only."""
        found: list[str] = []
        folder = beginning.rpartition("/")[0]
        try:
            async for chunk in obstore.list(self._store, folder or None, offset=beginning[:-1] or None):
                for entry in chunk:
                    if entry["path"].startswith(beginning):
                        found.append(entry["path"])
                    elif entry["path"] > beginning:
                        return found
        except (BaseError, OSError) as error:
            raise _store_error(error) from None
        return found

    async def days(self) -> list[str]:
        """Folder by folder, so that only folders are listed. Raises StoreError."""
        folders = [""]
        for _ in ("year", "month", "day"):
            folders = [inner for folder in folders for inner in await self._folders(folder)]
        return sorted(folders)

    async def listed(self, day: str) -> AsyncIterator[tuple[str, int]]:
        """The server sorts them. Raises StoreError."""
        try:
            async for chunk in obstore.list(self._store, day, chunk_size=_PAGE):
                for entry in chunk:
                    yield entry["path"], entry["size"]
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    async def size(self, name: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, name))["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    async def _folders(self, folder: str) -> list[str]:
        try:
            found = await obstore.list_with_delimiter_async(self._store, folder or None)
        except (BaseError, OSError) as error:
            raise _store_error(error) from None
        return [inner for inner in found["common_prefixes"] if inner.rpartition("/")[2].isdigit()]


def open_bucket(
    *,
    endpoint: str,
    bucket: str,
    region: str,
    access_key_id: str,
    secret_access_key: str,
    headers: Headers,
    public_url: str | None,
    patience_s: float = PATIENCE_S,
) -> Bucket:
    """`patience_s` is for a call with all of its bytes. The keys and the address are these, whatever variables of AWS the machine has, a token among them: obstore takes
    those for what is not said here."""
    is_https = urlsplit(endpoint).scheme == "https"
    credential: S3Credential = {
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
        "token": None,
        "expires_at": None,
    }
    store = S3Store(
        bucket,
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        region=region,
        virtual_hosted_style_request=False,
        skip_signature=False,
        credential_provider=lambda: credential,
        # TLS tells that the bytes came whole; a hash of each picture would tell it once more.
        unsigned_payload=is_https,
        client_options={**_CLIENT, "timeout": timedelta(seconds=patience_s), "allow_http": not is_https},
        retry_config=_RETRY,
    )
    return Bucket(store, headers=headers, public_url=public_url)


def _store_error(error: Exception) -> StoreError:
    """What went wrong, without what nobody may learn from a log: names, addresses, what a server says of a signature."""
    said, _, answer = str(error).partition("\n\nDebug source")[0].partition("<")
    code = re.search(r"Code>(\w+)</", answer)
    what = re.sub(r"\S*/\S+", "…", f"{said} {code[1] if code else ''}")
    return StoreError(f"{type(error).__name__}: {' '.join(what.split())[:300]}")
