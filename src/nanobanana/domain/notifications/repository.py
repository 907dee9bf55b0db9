from nanobanana.integrations.email.log import LogMailer
from nanobanana.integrations.email.types import Mail
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import Database

_KEPT = 50
_KEPT_HOURS = 12


class DevelopmentMailbox:
    """A mailer that keeps the last mails for the page /dev/mail, codes and links and all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, mail: Mail) -> None:
        await LogMailer().send(mail)
        await self._database.statement(
            """
            with older as (select id from development_mails order by created_at desc offset %(others)s),
                 gone as (delete from development_mails where id in (select id from older))
            insert into development_mails (id, recipient, subject, text, html)
            values (%(id)s, %(to)s, %(subject)s, %(text)s, %(html)s)
            """,
            {
                "others": _KEPT - 1,
                "id": new_id("eml"),
                "to": mail.to,
                "subject": mail.subject,
                "text": mail.text,
                "html": mail.html,
            },
        )

    async def discard_old(self) -> None:
        """Addresses stand in them, also of people who are erased by now."""
        await self._database.statement(
            "delete from development_mails where created_at < now() - make_interval(hours => %(hours)s)",
            {"hours": _KEPT_HOURS},
        )

    async def newest(self) -> list[dict[str, object]]:
        return await self._database.statement(
            "select id, recipient, subject, text, html, created_at from development_mails order by created_at desc",
            {},
        )

    async def html_of(self, id: str) -> str | None:
        rows = await self._database.statement(
            "select html from development_mails where id = %(id)s", {"id": id}
        )
        return rows[0]["html"] if rows else None
