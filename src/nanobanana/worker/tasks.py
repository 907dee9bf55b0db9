"""What the jobs do, by the names they are deferred under. Each may run twice: its worker may die at its end."""

from datetime import datetime

import structlog
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from nanobanana.integrations.email.errors import MailError
from nanobanana.services import Services

# Seconds before each further try: 21 hours in all, for a mail server that is away over night. Not more: the job holds
# an address, and nothing of an erased person may be left after a day.
_WAITS_S = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 36_000)

log = structlog.get_logger()


class LaterUnlessRefused(BaseRetryStrategy):
    """Further tries until the waits are used up, but none for what will never succeed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        refused = isinstance(exception, MailError) and not exception.retryable
        again = not refused and job.attempts < len(_WAITS_S)
        log.warning("job_failed", job=job.task_name, id=job.id, error=repr(exception), again=again)
        return RetryDecision(retry_in={"seconds": _WAITS_S[job.attempts]}) if again else None


def add_tasks(app: App, services: Services) -> None:
    later = LaterUnlessRefused()
    _add_mails_of_accounts(app, services, later)
    _add_news(app, services, later)

    @app.task(name="fit_pictures_to_plan", retry=later)
    async def fit_pictures_to_plan(account_id: str, moved_at: str) -> None:
        await services.people.retention.fit_to_plan(account_id, moved_at=datetime.fromisoformat(moved_at))

    @app.periodic(cron="17 3 * * *")
    @app.task(name="reconcile", pass_context=False)
    async def reconcile(timestamp: int) -> None:
        del timestamp
        await services.billing.report_differences()

    @app.periodic(cron="43 4 * * 0")
    @app.task(name="sweep_pictures", retry=later, pass_context=False)
    async def sweep_pictures(timestamp: int) -> None:
        del timestamp
        if services.sweeper:
            await services.sweeper.sweep()


def _add_mails_of_accounts(app: App, services: Services, later: LaterUnlessRefused) -> None:
    @app.task(name="send_registration_mail", retry=later)
    async def send_registration_mail(registration_id: str, base_url: str) -> None:
        await services.people.registrations.send_mail(registration_id, base_url=base_url)

    @app.task(name="send_password_reset", retry=later)
    async def send_password_reset(email: str, base_url: str) -> None:
        await services.people.credentials.send_password_reset(email, base_url=base_url)

    @app.task(name="send_email_confirmation", retry=later)
    async def send_email_confirmation(token_id: str, base_url: str) -> None:
        await services.people.credentials.send_email_confirmation(token_id, base_url=base_url)

    @app.task(name="send_password_changed", retry=later)
    async def send_password_changed(email: str) -> None:
        await services.people.notifications.password_changed(email)

    @app.task(name="send_address_changed", retry=later)
    async def send_address_changed(email: str) -> None:
        await services.people.notifications.address_changed(email)

    @app.task(name="send_account_erased", retry=later)
    async def send_account_erased(email: str) -> None:
        await services.people.notifications.account_erased(email)


def _add_news(app: App, services: Services, later: LaterUnlessRefused) -> None:
    """Mails about what keys, quotas, refusals and webhooks do."""

    @app.task(name="send_key_surge", retry=later)
    async def send_key_surge(api_key_id: str, hour: str) -> None:
        await services.people.surges.send_mail(api_key_id, hour=hour)

    @app.task(name="send_quota_warning", retry=later)
    async def send_quota_warning(account_id: str, percent: int) -> None:
        await services.usage.send_quota_warning(account_id, percent=percent)

    @app.task(name="send_account_suspended", retry=later)
    async def send_account_suspended(account_id: str) -> None:
        await services.moderation.send_suspension_mail(account_id)

    @app.task(name="send_webhook_disabled", retry=later)
    async def send_webhook_disabled(webhook_id: str) -> None:
        await services.webhooks.send_disabled_mail(webhook_id)
