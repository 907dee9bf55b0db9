"""`python -m nanobanana.cli.prepare`: what must be done once, before the web processes start.

A process of its own: the database libraries it needs would stay in the supervisor's memory for good.
Prints the development key, if there is one.
"""

import asyncio
import sys

from nanobanana.cli.old_pictures import bring_to_days
from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.development import ensure_key
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.moderation.blocklist import Blocklist
from nanobanana.domain.plans.rules import DEFAULT_MODEL_COSTS, DEFAULT_PLANS, read_model_costs
from nanobanana.domain.plans.service import put_in_force
from nanobanana.domain.sessions.service import Sessions
from nanobanana.errors import NanoBananaError
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.migration import migrate


def main() -> None:
    settings = Settings()
    assert settings.database_url is not None  # noqa: S101  the supervisor sets both
    assert settings.secret_key is not None  # noqa: S101
    url = settings.database_url.get_secret_value()
    try:
        migrate(url)
        sys.stdout.write(asyncio.run(_fill(settings, url)))
    except NanoBananaError as error:
        sys.exit(f"{error.message}\n{error.__cause__ or ''}".rstrip())


async def _fill(settings: Settings, url: str) -> str:
    """Puts pictures where the rows say, and the plans in force; gives the development key, if there is to be one."""
    database = Database(url, size=1)
    await database.open()
    try:
        # These say here what is wrong with their files.
        read_model_costs(settings.model_costs_file or DEFAULT_MODEL_COSTS)
        Blocklist(settings.blocklist_file)
        await bring_to_days(database, settings.image_dir)
        plans = await put_in_force(database, settings.plans_file or DEFAULT_PLANS)
        if settings.environment != "development":
            return ""
        api_keys = ApiKeys(database, secrets=settings.secret_keys)
        accounts = Accounts(
            database,
            api_keys=api_keys,
            sessions=Sessions(database),
            passwords=Passwords(),
            ceilings=FreeAccountCeilings(
                secret=settings.secret_keys[0],
                per_subnet_and_day=settings.free_accounts_per_subnet_per_day,
                scale=settings.throttle_scale,
            ),
        )
        plan = "pro" if "pro" in plans else "free"
        return await ensure_key(settings.data_dir, plan=plan, accounts=accounts, api_keys=api_keys)
    finally:
        await database.close()


if __name__ == "__main__":
    main()
