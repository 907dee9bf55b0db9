"""The ready-made account of a development machine: its key is printed at each start."""

import os
import secrets
from pathlib import Path

from nanobanana.domain.accounts.errors import EmailTakenError
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.api_keys.errors import InvalidApiKeyError
from nanobanana.domain.api_keys.service import ApiKeys

_KEY_FILE = "development_api_key"


async def ensure_key(data_dir: Path, *, accounts: Accounts, api_keys: ApiKeys) -> str:
    """A live key of an account on the Pro plan: the one kept in `data_dir` while it works, else of a new account."""
    file = data_dir / _KEY_FILE
    if file.exists():
        key = file.read_text().strip()
        try:
            await api_keys.resolve(key)
        except InvalidApiKeyError:
            pass  # another database, or the key was revoked
        else:
            return key
    key = await _register(accounts)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(key + "\n")
    return key


async def _register(accounts: Accounts) -> str:
    address = "developer@localhost.localdomain"
    try:
        registration = await accounts.register_developer(email=address, password=secrets.token_urlsafe())
    except EmailTakenError:
        address = f"developer+{secrets.token_hex(4)}@localhost.localdomain"
        registration = await accounts.register_developer(email=address, password=secrets.token_urlsafe())
    return registration.live_key.text
