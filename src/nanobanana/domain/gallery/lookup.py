"""Who has only the name of a picture: is it still there?"""

from nanobanana.domain.gallery import repository
from nanobanana.domain.gallery.errors import gone
from nanobanana.domain.gallery.types import NamedPicture
from nanobanana.domain.images.names import FileName
from nanobanana.errors import NotFoundError
from nanobanana.storage.database import Database


async def living(database: Database, file: FileName) -> NamedPicture:
    """Raises ImageExpiredError or ImageDeletedError for a picture that is gone, NotFoundError for one that never was."""
    picture = await repository.find_by_name(database, file)
    if picture is None or picture.image_state != "kept":
        error = picture and gone(picture.image_state, at=picture.expires_at)
        raise error or no_such_image()
    return picture


def no_such_image() -> NotFoundError:
    return NotFoundError("There is no such image.")
