"""Everything the running sandbox holds."""

from nanobanana_sandbox.config import SandboxConfig
from nanobanana_sandbox.journal import Journal, Scripts
from nanobanana_sandbox.models import served_models
from nanobanana_sandbox.pictures import Pictures
from nanobanana_sandbox.quotas import Quotas


class Sandbox:
    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.models = served_models(imagen=config.imagen)
        self.pictures = Pictures(cache_bytes=config.picture_cache_bytes)
        self.quotas = Quotas(config)
        self.scripts = Scripts()
        self.journal = Journal()
