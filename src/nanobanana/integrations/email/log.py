import structlog

from nanobanana.integrations.email.types import Mail

log = structlog.get_logger()


class LogMailer:
    """Where no mail server is set up: says that there was a mail. Its text may hold a code, so it is not told."""

    async def send(self, mail: Mail) -> None:
        log.info("mail_not_sent", to=mail.to, subject=mail.subject, reason="SMTP_URL is not set")
