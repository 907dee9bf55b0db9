"""Mail goes over TLS where the server can do that, and to no server that cannot prove who it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nanobanana.integrations.email.errors import MailError
from nanobanana.integrations.email.smtp import SmtpMailer
from nanobanana.integrations.email.types import Mail
from nanobanana.services import Services
from tests.api.mail.conftest import Desk, Due
from tests.api.mail.server import MailServer, running_mail_server
from tests.api.mail.test_delivery import until

ADA = "ada@example.com"
MAIL = Mail(to=ADA, subject="Bananas", text="text", html="<p>html</p>")


def make_certificate(file: Path, *, of: x509.GeneralName) -> Path:
    """With its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([of]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, form, open_) + certificate.public_bytes(pem))
    return file


def server_side(certificate: Path) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, where the mail server is."""
    return make_certificate(tmp_path / "right.pem", of=x509.IPAddress(ip_address("127.0.0.1")))


@pytest.fixture(params=["starttls", "tls"])
async def mail_server(request: pytest.FixtureRequest, certificate: Path) -> AsyncIterator[MailServer]:
    async with running_mail_server(**{request.param: server_side(certificate)}) as server:
        yield server


async def test_a_server_that_can_do_tls_gets_mail_over_tls(
    mail_server: MailServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await SmtpMailer(mail_server.url, sender="hello@example.com").send(MAIL)

    assert (await mail_server.mail())["To"] == ADA
    assert mail_server.encrypted == [True]


async def test_a_certificate_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate(tmp_path / "other.pem", of=x509.DNSName("mail.example.com"))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    async with running_mail_server(starttls=server_side(other)) as server:
        with pytest.raises(MailError) as raised:
            await SmtpMailer(server.url, sender="hello@example.com").send(MAIL)

    assert raised.value.retryable
    assert server.tries == 0


async def test_with_a_certificate_nobody_knows_the_mail_waits_and_never_goes_in_the_clear(
    desk: Desk,
    services: Services,
    due: Due,
    mail_server: MailServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await desk.register(ADA)
    job = await until(services, lambda job: job["attempts"] == 1)
    assert (job["status"], job["later"], mail_server.tries) == ("todo", True, 0)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await due.now()

    assert (await mail_server.mail())["To"] == ADA
    assert mail_server.encrypted == [True]
