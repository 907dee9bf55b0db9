"""Everything long-lived of one process: built once at start, closed in reverse order at its end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession
from redis.asyncio import Redis

from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.accounts.throttle import Throttle
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.billing.service import Billing
from nanobanana.domain.credentials.service import CredentialChanges
from nanobanana.domain.gallery.service import Gallery
from nanobanana.domain.gallery.thumbnails import Thumbnails
from nanobanana.domain.generation.maker import Maker
from nanobanana.domain.generation.queue import GenerationQueue
from nanobanana.domain.generation.runner import Runner
from nanobanana.domain.generation.service import Generations
from nanobanana.domain.generation.speed_limits import SpeedLimits
from nanobanana.domain.images.guarded_store import GuardedStore
from nanobanana.domain.images.mover import Mover
from nanobanana.domain.images.repository import DatabaseStore
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.domain.inventory.sweeper import Sweeper
from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.moderation.blocklist import Blocklist
from nanobanana.domain.moderation.service import Moderation
from nanobanana.domain.notifications.repository import DevelopmentMailbox
from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.personal_data.eraser import Eraser
from nanobanana.domain.personal_data.service import PersonalData
from nanobanana.domain.plans.rules import DEFAULT_MODEL_COSTS, DEFAULT_PLANS, read_model_costs, read_plans
from nanobanana.domain.plans.types import Plan
from nanobanana.domain.registration.service import Registrations
from nanobanana.domain.retention.purge import Purge
from nanobanana.domain.retention.service import Retention
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.sessions.service import Sessions
from nanobanana.domain.status.service import StatusBoard
from nanobanana.domain.surges.service import Surges
from nanobanana.domain.tryout.service import Tryout
from nanobanana.domain.usage.service import UsageReports
from nanobanana.domain.webhooks.dispatcher import Dispatcher
from nanobanana.domain.webhooks.payloads import Payloads
from nanobanana.domain.webhooks.secret_box import SecretBox
from nanobanana.domain.webhooks.service import Webhooks
from nanobanana.google_routes import all_routes, sandbox_routes
from nanobanana.image_stores import LEISURE_S, store_in_use
from nanobanana.integrations.email.log import LogMailer
from nanobanana.integrations.email.smtp import SmtpMailer
from nanobanana.integrations.email.types import Mailer
from nanobanana.integrations.google.http import open_http
from nanobanana.integrations.webhooks.client import WebhookClient, open_client
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.queue import Queue
from nanobanana.storage.redis import SharedConnection, close_redis, open_redis


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
    retention: Retention
    mailbox: DevelopmentMailbox


@dataclass(frozen=True, slots=True)
class Stores:
    """Where pictures are kept: in the one of the settings, and what waits for it."""

    in_database: DatabaseStore
    chosen: GuardedStore
    waiting_room: WaitingRoom
    mover: Mover


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    redis: Redis
    queue: Queue
    api_keys: ApiKeys
    people: People
    moderation: Moderation
    limiter: Limiter
    throttle: Throttle
    images: Images
    stores: Stores
    # None without a store.
    sweeper: Sweeper | None
    routes: Routes
    runner: Runner
    generations: Generations
    gallery: Gallery
    thumbnails: Thumbnails
    eraser: Eraser
    purge: Purge
    usage: UsageReports
    billing: Billing
    webhooks: Webhooks
    dispatcher: Dispatcher
    status: StatusBoard
    tryout: Tryout
    # By name, in the order of their file.
    plans: Mapping[str, Plan]


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """`settings` complete: with the addresses of both databases, and of the sandbox."""
    async with AsyncExitStack() as closing:
        database, queue = await _open_database(settings, closing)
        redis = _open_redis(settings, closing)
        http, client = _open_clients(settings, closing)

        stores = _stores(settings, database)
        images = Images(stores.chosen, waiting=stores.waiting_room)
        secrets = _secret_keys(settings)
        routes = all_routes(settings, http, redis, secret=secrets[0])
        api_keys = ApiKeys(database, secrets=secrets)
        limiter = await _open_limiter(settings, closing, secret=secrets[0])
        throttle = Throttle(limiter, scale=settings.throttle_scale)
        people = _people(settings, database, api_keys, secrets)
        moderation = _moderation(settings, database, limiter, people.notifications)
        runner, generations = _generations(
            settings, database, routes, moderation, images=images, api_keys=api_keys, limiter=limiter
        )
        box, payloads = SecretBox(secrets), Payloads(database, images=images, base_url=settings.base_url)
        yield Services(
            settings=settings,
            database=database,
            redis=redis,
            queue=queue,
            api_keys=api_keys,
            people=people,
            moderation=moderation,
            limiter=limiter,
            throttle=throttle,
            images=images,
            stores=stores,
            sweeper=_sweeper(settings, database),
            routes=routes["live"],
            runner=runner,
            generations=generations,
            gallery=Gallery(database, generations=generations, images=images),
            thumbnails=Thumbnails(database, images=images),
            eraser=Eraser(database, images=images),
            purge=Purge(database, images=images),
            usage=UsageReports(database, notifications=people.notifications),
            billing=Billing(database),
            webhooks=Webhooks(database, client=client, box=box, notifications=people.notifications),
            dispatcher=Dispatcher(database, client=client, box=box, payloads=payloads),
            status=StatusBoard(database, routes=routes["live"], store=stores.chosen, images=images),
            tryout=_tryout(settings, http, images=images, throttle=throttle, secrets=secrets),
            plans=read_plans(settings.plans_file or DEFAULT_PLANS),
        )


def _open_redis(settings: Settings, closing: AsyncExitStack) -> Redis:
    redis = open_redis(_required(settings, "redis_url"))
    closing.push_async_callback(close_redis, redis)
    return redis


async def _open_limiter(settings: Settings, closing: AsyncExitStack, *, secret: str) -> Limiter:
    # A connection of its own: making one takes longer than a probe may on a busy machine.
    probe = _open_redis(settings, closing)
    shared = SharedConnection(_required(settings, "redis_url"))
    closing.callback(shared.drop)
    limiter = Limiter(shared, probe=probe, secret=secret, processes=settings.web_processes)
    await limiter.open()
    return limiter


async def _open_database(settings: Settings, closing: AsyncExitStack) -> tuple[Database, Queue]:
    database = Database(_required(settings, "database_url"))
    await database.open()
    closing.push_async_callback(database.close)
    queue = Queue(_required(settings, "database_url"))
    await queue.open()
    closing.push_async_callback(queue.close)
    return database, queue


def _tryout(
    settings: Settings, http: ClientSession, *, images: Images, throttle: Throttle, secrets: Sequence[str]
) -> Tryout:
    routes = sandbox_routes(settings, http)
    return Tryout(routes=routes, images=images, throttle=throttle, secrets=secrets)


def _stores(settings: Settings, database: Database) -> Stores:
    in_database = DatabaseStore(database)
    chosen = GuardedStore(store_in_use(settings) or in_database)
    leisurely = store_in_use(settings, patience_s=LEISURE_S)
    return Stores(
        in_database=in_database,
        chosen=chosen,
        waiting_room=WaitingRoom(database, max_bytes=settings.store_outage_bytes),
        mover=Mover(database, store=chosen, leisurely=leisurely or in_database),
    )


def _sweeper(settings: Settings, database: Database) -> Sweeper | None:
    store = store_in_use(settings)
    return Sweeper(database, store=store) if store else None


def _secret_keys(settings: Settings) -> tuple[str, ...]:
    _required(settings, "secret_key")
    return settings.secret_keys


def _required(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if value is None:
        raise RuntimeError(f"{name.upper()} is not set: start the service with `./nb serve`, which sets it")
    return str(value.get_secret_value())


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
    notifications = Notifications(_mailer(settings, mailbox), pages_url=settings.public_url)
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
        retention=Retention(database, notifications=notifications),
        mailbox=mailbox,
    )


def _mailer(settings: Settings, mailbox: DevelopmentMailbox) -> Mailer:
    if settings.smtp_url and settings.mail_from:
        return SmtpMailer(settings.smtp_url.get_secret_value(), sender=settings.mail_from)
    return mailbox if settings.environment == "development" else LogMailer()


def _moderation(
    settings: Settings, database: Database, limiter: Limiter, notifications: Notifications
) -> Moderation:
    return Moderation(
        database,
        blocklist=Blocklist(settings.blocklist_file),
        limiter=limiter,
        notifications=notifications,
        refusals_per_day=settings.refusals_per_day,
    )


def _open_clients(settings: Settings, closing: AsyncExitStack) -> tuple[ClientSession, WebhookClient]:
    """For Google, and for the endpoints of webhooks."""
    http = open_http()
    closing.push_async_callback(http.close)
    client = open_client(
        https_only=settings.environment == "production", allowed=settings.webhook_allowed_networks
    )
    closing.push_async_callback(client.close)
    return http, client


def _generations(
    settings: Settings,
    database: Database,
    routes: Mapping[Mode, Routes],
    moderation: Moderation,
    *,
    images: Images,
    api_keys: ApiKeys,
    limiter: Limiter,
) -> tuple[Runner, Generations]:
    model_costs = read_model_costs(settings.model_costs_file or DEFAULT_MODEL_COSTS)
    speed_limits = SpeedLimits(
        limiter, refusals_per_day=settings.refusals_per_day, queue_max_age_s=settings.queue_max_age_s
    )
    queue = GenerationQueue(
        database,
        routes=routes["live"],
        images=images,
        max_age_s=settings.queue_max_age_s,
        max_length=settings.queue_max_length,
    )
    maker = Maker(routes=routes, images=images, model_costs=model_costs)
    runner = Runner(
        database,
        maker=maker,
        queue=queue,
        speed_limits=speed_limits,
        refusals_per_day=settings.refusals_per_day,
    )
    generations = Generations(
        database,
        api_keys=api_keys,
        speed_limits=speed_limits,
        moderation=moderation,
        runner=runner,
        queue=queue,
        free_images_per_day=settings.free_images_per_day,
    )
    return runner, generations
