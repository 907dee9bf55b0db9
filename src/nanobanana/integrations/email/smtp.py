"""Mail by way of a mail server, one connection a mail."""

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
from email_validator import validate_email

from nanobanana.integrations.email.errors import MailError
from nanobanana.integrations.email.types import Mail

# For the whole mail, so that a server which trickles holds nobody, least of all a process that wants to end.
_TIMEOUT_S = 20
_PERMANENT = range(500, 600)


class SmtpMailer:
    def __init__(self, url: str, *, sender: str, timeout_s: float = _TIMEOUT_S) -> None:
        """`url`: smtp://user:password@host:587, which takes STARTTLS when offered, or smtps://host."""
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout_s = timeout_s

    async def send(self, mail: Mail) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._hand_over(_composed(mail, sender=self._sender))
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            code = _code(error)
            raise MailError(f"the server answered {code}", retryable=code not in _PERMANENT) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailError("the server cannot write to this address", retryable=False) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailError(f"the server does not answer: {type(error).__name__}", retryable=True) from error

    async def _hand_over(self, message: EmailMessage) -> None:
        server = aiosmtplib.SMTP(
            hostname=self._url.hostname,
            port=self._url.port,
            username=unquote(self._url.username) if self._url.username else None,
            password=unquote(self._url.password) if self._url.password else None,
            use_tls=self._url.scheme == "smtps",
            timeout=self._timeout_s,
        )
        # Closed, without a last word: the server has the mail or it has not. The library's own way out asks a server
        # that hangs for its goodbye, and a goodbye that fails would have a mail sent twice.
        try:
            await server.connect()
            await server.send_message(message)
        finally:
            server.close()


def _composed(mail: Mail, *, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = _deliverable(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    # Out-of-office replies to a machine help nobody.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _deliverable(address: str) -> Address:
    """With the domain in ASCII, which every server understands."""
    parts = validate_email(address, check_deliverability=False)
    return Address(username=parts.local_part, domain=parts.ascii_domain)


def _code(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException) -> int:
    return error.recipients[0].code if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error.code
