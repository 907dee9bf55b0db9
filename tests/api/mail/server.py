"""A real mail server in the test's own loop, as kind or unkind as a test wants it."""

import asyncio
import email
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default
from ssl import SSLContext

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.secrecy import watch


class MailServer:
    def __init__(self) -> None:
        self.port = 0
        self.scheme = "smtp"
        self.answers: list[str] = []
        """To the next mails; then all are taken."""
        self.hangs = False
        self.dies = False
        self.tries = 0
        self.encrypted: list[bool] = []
        """Of each try, whether it came over TLS."""
        self.someone_hangs = asyncio.Event()
        self.go_on = asyncio.Event()
        self._mails: asyncio.Queue[EmailMessage] = asyncio.Queue()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def mail(self) -> EmailMessage:
        """The next mail that comes."""
        async with asyncio.timeout(20):
            return await self._mails.get()

    def is_empty(self) -> bool:
        return self._mails.empty()

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.tries += 1
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        if self.dies:
            server.transport.abort()
            return "421 gone"
        if self.hangs:
            self.someone_hangs.set()
            await self.go_on.wait()
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=default)
            watch.saw_mail(text_of(message))
            self._mails.put_nowait(message)
        return answer


@asynccontextmanager
async def running_mail_server(
    *, password: str | None = None, starttls: SSLContext | None = None, tls: SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """With `starttls` it offers to go on encrypted, with `tls` it speaks nothing else."""
    mail_server = MailServer()
    mail_server.scheme = "smtps" if tls else "smtp"
    loop = asyncio.get_running_loop()

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        # handled=False: with True the client would wait for ever for the refusal.
        return AuthResult(success=data.password == str(password).encode(), handled=False)

    def connected() -> SMTP:
        return SMTP(
            mail_server,
            loop=loop,
            hostname="mail.test",
            authenticator=authenticate if password else None,
            auth_required=password is not None,
            auth_require_tls=False,
            tls_context=starttls,
        )

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls)
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        mail_server.go_on.set()
        server.close()


def text_of(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message: EmailMessage) -> str:
    return message.get_body(("html",)).get_content()


def code_of(message: EmailMessage) -> str:
    (code,) = re.findall(r"^ +(\d{6})\r?$", text_of(message), re.MULTILINE)
    return code


def link_of(message: EmailMessage) -> str:
    (link,) = re.findall(r"https?://\S+", text_of(message))
    return link


def token_of(message: EmailMessage) -> str:
    return link_of(message).partition("token=")[2]
