"""The eraser as a process of its own, to be killed: `python -m tests.domain.personal_data.erase_due URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from nanobanana.domain.images.service import Images
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.domain.personal_data.eraser import Eraser
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.storage.database import Database


async def erase_due(url: str, folder: Path) -> None:
    database = Database(url)
    await database.open()
    images = Images(LocalFolder(folder), waiting=WaitingRoom(database, max_bytes=1))
    await Eraser(database, images=images).erase_due()


if __name__ == "__main__":
    asyncio.run(erase_due(sys.argv[1], Path(sys.argv[2])))
