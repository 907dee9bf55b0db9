"""The stores of pictures that the settings name."""

from typing import Literal

from nanobanana.domain.inventory.types import ListedStore
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.settings import Settings

StoreName = Literal["local", "s3"]


def store_in_use(settings: Settings) -> ListedStore | None:
    """None with IMAGE_STORE=none."""
    return None if settings.image_store == "none" else open_store(settings, settings.image_store)


def open_store(settings: Settings, name: StoreName) -> ListedStore:
    del name
    return LocalFolder(settings.image_dir)
