import pytest

from nanobanana.domain.api_keys import rules
from nanobanana.domain.api_keys.errors import InvalidApiKeyError, MistypedApiKeyError
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.errors import ServiceUnavailableError
from nanobanana.storage.database import Database


@pytest.fixture
def without_database() -> ApiKeys:
    """Whoever asks its database fails: it was never opened."""
    return ApiKeys(Database("postgresql://nowhere.invalid/nothing"), secrets=["a secret"])


async def test_a_whole_key_is_asked_of_the_database(without_database: ApiKeys) -> None:
    with pytest.raises(ServiceUnavailableError):
        await without_database.resolve_recent(rules.new_key("live"))


@pytest.mark.parametrize(
    "mistyped",
    [
        lambda key: key[:-1],
        lambda key: key[:20],
        lambda key: key[1:],
        lambda key: key + "0",
        lambda key: key.replace("nb_live_", "nb_test_"),
        lambda key: key[:15] + ("a" if key[15] != "a" else "b") + key[16:],
        lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
        lambda key: key.upper(),
    ],
    ids=["cut off", "half", "first missing", "too long", "other mode", "one wrong", "last wrong", "upper"],
)
async def test_a_mistyped_key_is_refused_without_the_database(
    without_database: ApiKeys, mistyped: object
) -> None:
    key = mistyped(rules.new_key("live"))

    with pytest.raises(InvalidApiKeyError) as refusal:
        await without_database.resolve_recent(key)

    assert isinstance(refusal.value, MistypedApiKeyError) == key.startswith("nb_")
