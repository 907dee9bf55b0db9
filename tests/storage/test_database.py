import pytest

from nanobanana.storage.database import Database, DatabaseUnavailableError


async def test_a_database_that_is_away_is_an_error_with_a_sentence() -> None:
    database = Database("postgresql://127.0.0.1:1/nothing")

    with pytest.raises(DatabaseUnavailableError, match="The database does not answer"):
        await database.open(patience_s=0.1)
    await database.close()
