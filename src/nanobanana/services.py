"""Everything long-lived of one process: built once at start, closed in reverse order at its end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.accounts.throttle import Throttle
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.billing.service import Billing
from nanobanana.domain.credentials.service import CredentialChanges
from nanobanana.domain.generation.runner import Runner
from nanobanana.domain.generation.service import Generations
from nanobanana.domain.generation.speed_limits import SpeedLimits
from nanobanana.domain.images.repository import DatabaseStore
from nanobanana.domain.images.service import Images
from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.notifications.repository import DevelopmentMailbox
from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.personal_data.eraser import Eraser
from nanobanana.domain.personal_data.service import PersonalData
from nanobanana.domain.plans.rules import DEFAULT_MODEL_COSTS, read_model_costs
from nanobanana.domain.registration.service import Registrations
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.sessions.service import Sessions
from nanobanana.domain.surges.service import Surges
from nanobanana.domain.usage.service import UsageReports
from nanobanana.domain.webhooks.dispatcher import Dispatcher
from nanobanana.domain.webhooks.payloads import Payloads
from nanobanana.domain.webhooks.secret_box import SecretBox
from nanobanana.domain.webhooks.service import Webhooks
from nanobanana.integrations.email.log import LogMailer
from nanobanana.integrations.email.smtp import SmtpMailer
from nanobanana.integrations.email.types import Mailer
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.http import open_http
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.integrations.webhooks.client import WebhookClient, open_client
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.queue import Queue
from nanobanana.storage.redis import open_redis

# Pictures between Google's first byte and the store, of 2 to 6 MB each while they are decoded.
BODIES_AT_ONCE = 8
# Of all that wait for Google's first byte; each holds a connection.
CALLS_AT_ONCE = 1_000
# Of their own: a test key may ask for a body that stalls, and must not hold up a live one.
TEST_BODIES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class People:
    """Who they are, how they get in, and what they are told."""

    sessions: Sessions
    accounts: Accounts
    registrations: Registrations
    credentials: CredentialChanges
    personal_data: PersonalData
    notifications: Notifications
    surges: Surges
    mailbox: DevelopmentMailbox


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    redis: Redis
    queue: Queue
    api_keys: ApiKeys
    people: People
    limiter: Limiter
    throttle: Throttle
    images: Images
    images_in_database: DatabaseStore
    runner: Runner
    generations: Generations
    eraser: Eraser
    usage: UsageReports
    billing: Billing
    webhooks: Webhooks
    dispatcher: Dispatcher


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """`settings` complete: with the addresses of both databases, and of the sandbox."""
    async with AsyncExitStack() as closing:
        database = Database(_required(settings, "database_url"))
        await database.open()
        closing.push_async_callback(database.close)
        queue = Queue(_required(settings, "database_url"))
        await queue.open()
        closing.push_async_callback(queue.close)
        redis = open_redis(_required(settings, "redis_url"))
        closing.push_async_callback(redis.aclose)
        probe = open_redis(_required(settings, "redis_url"), connections=1)
        closing.push_async_callback(probe.aclose)
        http = open_http()
        closing.push_async_callback(http.close)
        client = _webhook_client(settings)
        closing.push_async_callback(client.close)

        images_in_database = DatabaseStore(database)
        local = settings.image_store == "local"
        images = Images(LocalFolder(settings.image_dir) if local else images_in_database)
        model_costs = read_model_costs(settings.model_costs_file or DEFAULT_MODEL_COSTS)
        runner = Runner(database, routes=_routes(settings, http), images=images, model_costs=model_costs)
        secrets = _secret_keys(settings)
        api_keys = ApiKeys(database, secrets=secrets)
        limiter = Limiter(redis, probe=probe, secret=secrets[0], processes=settings.web_processes)
        await limiter.open()
        people = _people(settings, database, api_keys, secrets)
        box, payloads = SecretBox(secrets), Payloads(database, images=images, base_url=settings.base_url)
        yield Services(
            settings=settings,
            database=database,
            redis=redis,
            queue=queue,
            api_keys=api_keys,
            people=people,
            limiter=limiter,
            throttle=Throttle(limiter, scale=settings.throttle_scale),
            images=images,
            images_in_database=images_in_database,
            runner=runner,
            generations=_generations(settings, database, api_keys, limiter, runner),
            eraser=Eraser(database, images=images),
            usage=UsageReports(database, notifications=people.notifications),
            billing=Billing(database),
            webhooks=Webhooks(database, client=client, box=box, notifications=people.notifications),
            dispatcher=Dispatcher(database, client=client, box=box, payloads=payloads),
        )


def _secret_keys(settings: Settings) -> tuple[str, ...]:
    _required(settings, "secret_key")
    return settings.secret_keys


def _required(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if value is None:
        raise RuntimeError(f"{name.upper()} is not set: start the service with `./nb serve`, which sets it")
    return str(value.get_secret_value())


def _generations(
    settings: Settings, database: Database, api_keys: ApiKeys, limiter: Limiter, runner: Runner
) -> Generations:
    return Generations(
        database,
        api_keys=api_keys,
        speed_limits=SpeedLimits(limiter),
        runner=runner,
        free_images_per_day=settings.free_images_per_day,
    )


def _people(settings: Settings, database: Database, api_keys: ApiKeys, secrets: Sequence[str]) -> People:
    passwords = Passwords()
    sessions = Sessions(database)
    ceilings = FreeAccountCeilings(
        secret=secrets[0],
        per_subnet_and_day=settings.free_accounts_per_subnet_per_day,
        scale=settings.throttle_scale,
    )
    accounts = Accounts(
        database, api_keys=api_keys, sessions=sessions, passwords=passwords, ceilings=ceilings
    )
    mailbox = DevelopmentMailbox(database)
    notifications = Notifications(_mailer(settings, mailbox))
    credentials = CredentialChanges(
        database, sessions=sessions, passwords=passwords, notifications=notifications
    )
    return People(
        sessions=sessions,
        accounts=accounts,
        registrations=Registrations(
            database,
            accounts=accounts,
            sessions=sessions,
            passwords=passwords,
            notifications=notifications,
            secrets=secrets,
        ),
        credentials=credentials,
        personal_data=PersonalData(database, credentials=credentials),
        notifications=notifications,
        surges=Surges(database, notifications=notifications),
        mailbox=mailbox,
    )


def _mailer(settings: Settings, mailbox: DevelopmentMailbox) -> Mailer:
    if settings.smtp_url and settings.mail_from:
        return SmtpMailer(settings.smtp_url.get_secret_value(), sender=settings.mail_from)
    return mailbox if settings.environment == "development" else LogMailer()


def _webhook_client(settings: Settings) -> WebhookClient:
    return open_client(
        https_only=settings.environment == "production", allowed=settings.webhook_allowed_networks
    )


def _routes(settings: Settings, http: aiohttp.ClientSession) -> dict[Mode, Routes]:
    """Test keys always meet the sandbox; live keys meet Google as soon as there is a key for it."""

    def images(base_url: str, api_key: str, *, bodies_at_once: int) -> GoogleImages:
        return GoogleImages(
            http,
            base_url=base_url,
            api_key=api_key,
            api_version=settings.gemini_api_version,
            models=settings.gemini_models,
            timeout_s=settings.gemini_timeout_s,
            body_slots=asyncio.Semaphore(bodies_at_once),
        )

    def routes(way: GoogleImages) -> Routes:
        return Routes([way], calls_at_once=CALLS_AT_ONCE)

    sandbox = settings.sandbox_url or "http://sandbox.invalid"
    live_url, live_key = sandbox, "sandbox"
    if settings.gemini_api_key:
        live_url, live_key = settings.gemini_base_url, settings.gemini_api_key.get_secret_value()
    return {
        "live": routes(images(live_url, live_key, bodies_at_once=BODIES_AT_ONCE)),
        "test": routes(images(sandbox, "sandbox", bodies_at_once=TEST_BODIES_AT_ONCE)),
    }
