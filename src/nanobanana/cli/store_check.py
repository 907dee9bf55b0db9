"""Whether the store of pictures takes one, gives it back and deletes it."""

import asyncio

from nanobanana.domain.images.names import new_name
from nanobanana.image_stores import store_in_use
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.kit.ids import new_id
from nanobanana.settings import Settings

# Nobody fetches it; a cache keeps it for as long.
_KEEP_S = 60


def store_line(settings: Settings) -> tuple[str, bool]:
    """What came of it, and whether that is well. Nothing is said of a folder that a first start is to make."""
    is_new = settings.image_store == "local" and not settings.image_dir.exists()
    if is_new or not (store := store_in_use(settings)):
        return "", True

    async def try_it() -> None:
        name, data = f"{new_name(new_id('gen'))}.png", b"a picture of nanobanana doctor"
        await store.put(name, data, keep_s=_KEEP_S)
        if await store.get(name) != data:
            raise StoreError("it gives back something else than it was given")
        await store.delete([name])

    try:
        asyncio.run(try_it())
    except StoreError as error:
        return f"the store of pictures fails: {error}", False
    return "the store of pictures takes, gives and deletes", True
