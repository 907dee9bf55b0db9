import pytest

from nanobanana.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A webhook may go to the machine of the tests."""
    allowed = Settings(webhook_allowed_networks="127.0.0.0/8").webhook_allowed_networks
    return settings.model_copy(update={"webhook_allowed_networks": allowed})
