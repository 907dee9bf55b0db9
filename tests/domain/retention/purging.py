"""The purge as a process of its own, to be killed: `python -m tests.domain.retention.purging URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from nanobanana.domain.images.service import Images
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.domain.retention.purge import Purge
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.storage.database import Database


async def purge(url: str, folder: Path) -> None:
    database = Database(url)
    await database.open()
    images = Images(LocalFolder(folder), waiting=WaitingRoom(database, max_bytes=1))
    await Purge(database, images=images).purge()


if __name__ == "__main__":
    asyncio.run(purge(sys.argv[1], Path(sys.argv[2])))
