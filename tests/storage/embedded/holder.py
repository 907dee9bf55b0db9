"""A command that holds embedded servers: prints their URLs, ends when its input ends. Argument: DATA_DIR."""

import json
import sys
from pathlib import Path

from nanobanana.settings import Settings
from nanobanana.storage.embedded.servers import running_servers

with running_servers(Settings(data_dir=Path(sys.argv[1]))) as settings:
    assert settings.database_url
    assert settings.redis_url
    urls = [settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()]
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
