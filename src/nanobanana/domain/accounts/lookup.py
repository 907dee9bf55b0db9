"""How operators name accounts."""

from nanobanana.domain.accounts import repository
from nanobanana.domain.accounts.errors import NoSuchAccountError
from nanobanana.storage.database import AsyncConnection


async def account_id_of(connection: AsyncConnection, email: str) -> str:
    """Raises NoSuchAccountError."""
    account = await repository.find_by_email(connection, email=email)
    if account is None:
        raise NoSuchAccountError(email)
    return account.id
