"""The timetables: what a process does beside answering requests, and what may be left to a worker."""

from nanobanana.metrics import DATABASE_POOL, REDIS_UP
from nanobanana.services import Services
from nanobanana.worker.timetable import Job

# How long an event waits at most before it is sent, for one question to the database.
_DISPATCH_WEBHOOKS_S = 1


def timetable(services: Services) -> list[Job]:
    """Of a process that does all of the work, or leaves what any may do to others."""
    if services.settings.run_jobs:
        return [*_own_timetable(services), *_common_timetable(services)]
    return [*_own_timetable(services), Job("look_at_queue", 1, services.runner.look_at_queue)]


def _own_timetable(services: Services) -> list[Job]:
    """What every process does for itself, and for what it has begun."""

    async def probe_redis() -> None:
        up = await services.limiter.find_redis()
        REDIS_UP.set(up)
        services.status.note_redis(up=up)

    async def measure_pool() -> None:
        for kind, count in services.database.pool_counts().items():
            DATABASE_POOL.labels(kind).set(count)

    return [
        # Three chances within a lease of 20 s; and taken over soon after it ends, so that nothing waits 30 s for a
        # process that has died.
        Job("renew_leases", 5, services.runner.renew_leases),
        Job("take_over", 5, services.runner.take_over),
        Job("record_uses_of_keys", 10, services.api_keys.record_uses),
        # Soon back to the common limits when Redis is.
        Job("probe_redis", 1, probe_redis),
        # The same of the store.
        Job("probe_store", 1, services.stores.chosen.probe),
        Job("look_at_waiting_pictures", 2, services.stores.waiting_room.look),
        Job("look_for_status", 2, services.status.look),
        Job("exchange_route_health", 1, services.routes.exchange),
        Job("reread_blocklist", 5, services.moderation.reread_blocklist),
        Job("forget_ended_windows", 60, services.limiter.forget_ended),
        Job("measure_pool", 5, measure_pool),
    ]


def _common_timetable(services: Services) -> list[Job]:
    """What any process may do for all."""
    return [
        Job("work_off_queue", 1, services.runner.work_off_queue, sooner=services.runner.arrival),
        Job("expire_queued", 2, services.runner.expire),
        Job("watch_for_surges", 60, services.people.surges.watch),
        Job("discard_old_hours", 3_600, services.people.surges.discard_old),
        Job("move_waiting_pictures", 2, services.stores.mover.move_waiting),
        Job("discard_expired_images", 60, services.stores.in_database.discard_expired),
        Job("discard_old_idempotency_keys", 60, services.generations.discard_old_idempotency_keys),
        Job("discard_expired_sessions", 600, services.people.sessions.discard_expired),
        Job("discard_ended_counts", 600, services.people.accounts.discard_ended_counts),
        Job("discard_expired_registrations", 600, services.people.registrations.discard_expired),
        Job("discard_expired_tokens", 600, services.people.credentials.discard_expired),
        Job("discard_old_development_mails", 600, services.people.mailbox.discard_old),
        Job("dispatch_webhooks", _DISPATCH_WEBHOOKS_S, services.dispatcher.send_due),
        Job("discard_old_webhook_deliveries", 600, services.webhooks.discard_old),
        Job("erase_accounts", 10, services.eraser.erase_due),
        Job("retry_stalled_jobs", 15, services.queue.retry_stalled),
        Job("delete_finished_jobs", 600, services.queue.delete_finished),
    ]
