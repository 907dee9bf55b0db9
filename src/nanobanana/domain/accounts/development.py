"""The ready-made account of a development machine: its key is printed at each start."""

import os
import secrets
from functools import partial
from pathlib import Path

from nanobanana.domain.accounts.errors import EmailTakenError
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.api_keys.errors import InvalidApiKeyError
from nanobanana.domain.api_keys.service import ApiKeys

_KEY_FILE = "development_api_key"


async def ensure_key(data_dir: Path, *, plan: str, accounts: Accounts, api_keys: ApiKeys) -> str:
    """A live key: the one kept in `data_dir` while it works, else that of a new account on the plan."""
    file = data_dir / _KEY_FILE
    if file.exists():
        key = file.read_text().strip()
        try:
            await api_keys.resolve(key)
        except InvalidApiKeyError:
            pass  # another database, or the key was revoked
        else:
            return key
    key = await _register(accounts, plan)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(key + "\n")
    return key


async def _register(accounts: Accounts, plan: str) -> str:
    register = partial(accounts.register_developer, password=secrets.token_urlsafe(), plan=plan)
    try:
        registration = await register(email="developer@localhost.localdomain")
    except EmailTakenError:
        registration = await register(email=f"developer+{secrets.token_hex(4)}@localhost.localdomain")
    return registration.live_key.text
