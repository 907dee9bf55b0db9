"""All tables. Migrations bring a database to this state; a test holds the two against each other."""

from nanobanana.storage.tables.columns import metadata
from nanobanana.storage.tables.images import generations, idempotency_keys, image_bytes
from nanobanana.storage.tables.money import (
    account_months,
    balances,
    free_days,
    key_months,
    ledger,
    usage_days,
)
from nanobanana.storage.tables.people import (
    accounts,
    api_key_hours,
    api_keys,
    audit_log,
    development_mails,
    one_time_tokens,
    plans,
    registrations,
    sessions,
    sign_ups,
)
from nanobanana.storage.tables.webhooks import webhook_deliveries, webhooks

__all__ = [
    "account_months",
    "accounts",
    "api_key_hours",
    "api_keys",
    "audit_log",
    "balances",
    "development_mails",
    "free_days",
    "generations",
    "idempotency_keys",
    "image_bytes",
    "key_months",
    "ledger",
    "metadata",
    "one_time_tokens",
    "plans",
    "registrations",
    "sessions",
    "sign_ups",
    "usage_days",
    "webhook_deliveries",
    "webhooks",
]
