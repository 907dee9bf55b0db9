"""The stores of pictures that the settings name."""

from typing import Literal

from nanobanana.domain.images import headers
from nanobanana.domain.inventory.types import ListedStore
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.integrations.object_store.s3 import PATIENCE_S, open_bucket
from nanobanana.settings import Settings

StoreName = Literal["local", "s3"]


# Where no caller waits for a picture: over a slow line it still arrives.
LEISURE_S = 20


def store_in_use(settings: Settings, *, patience_s: float = PATIENCE_S) -> ListedStore | None:
    """None with IMAGE_STORE=none."""
    if settings.image_store == "none":
        return None
    return open_store(settings, settings.image_store, patience_s=patience_s)


def open_store(settings: Settings, name: StoreName, *, patience_s: float = PATIENCE_S) -> ListedStore:
    """Also one that is not in use, as long as it is configured. `patience_s` is for a call over a network."""
    if name == "local":
        return LocalFolder(settings.image_dir)
    assert settings.r2_access_key_id  # noqa: S101  what IMAGE_STORE=s3 makes sure of
    assert settings.r2_secret_access_key  # noqa: S101  see above
    return open_bucket(
        endpoint=settings.r2_endpoint or "",
        bucket=settings.r2_bucket or "",
        region=settings.r2_region,
        access_key_id=settings.r2_access_key_id.get_secret_value(),
        secret_access_key=settings.r2_secret_access_key.get_secret_value(),
        headers=headers.of_stored,
        public_url=settings.r2_public_url,
        patience_s=patience_s,
    )
