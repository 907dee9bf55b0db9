"""What counts as taken, and what is said of everything else."""

import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nanobanana.integrations.webhooks.client import WebhookClient, open_client
from nanobanana.integrations.webhooks.types import Answer
from tests.receiver import Receiver, answering, receiving


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebhookClient]:
    monkeypatch.setattr("nanobanana.integrations.webhooks.client.TIMEOUT_S", 1)
    client = open_client(https_only=False, allowed=(ip_network("127.0.0.0/8"),))
    yield client
    await client.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as (receiver, _):
        yield receiver


async def post(client: WebhookClient, url: str) -> Answer:
    return await client.post(url, body=b"{}", headers={})


@pytest.mark.parametrize("status", [200, 204, 299])
async def test_2xx_is_success(client: WebhookClient, receiver: Receiver, status: int) -> None:
    receiver.answers(answering(status))

    assert await post(client, receiver.url) == Answer(status=status, problem=None)


BROKEN = {
    "300": (answering(300, "Location: /elsewhere"), "Redirects are not followed"),
    "a redirect": (answering(307, "Location: /elsewhere"), "Redirects are not followed"),
    "a refusal": (answering(400), "The endpoint answered 400."),
    "gone": (answering(410), "410 Gone"),
    "an error": (answering(500), "The endpoint answered 500."),
    "nothing at all": (b"", "The connection was closed before an answer came."),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-", "The connection was closed before an answer came."),
    "no HTTP": (b"220 mail.example ESMTP\r\n\r\n", "What came back is no HTTP answer."),
    "an endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "What came back is no HTTP answer."),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_all_else_is_failure_with_its_reason(
    client: WebhookClient, receiver: Receiver, kind: str
) -> None:
    answer, reason = BROKEN[kind]
    receiver.answers(answer)

    assert reason in str((await post(client, receiver.url)).problem)
    assert [one.path for one in receiver.received] == ["/hooks"]


@pytest.mark.parametrize("rest", [b"Content-Length: 100\r\n\r\nhalf", b"\r\n" + b"endless" * 1_000_000])
async def test_what_follows_a_2xx_is_of_no_interest(
    client: WebhookClient, receiver: Receiver, rest: bytes
) -> None:
    receiver.answers(b"HTTP/1.1 200 OK\r\n" + rest)

    assert await post(client, receiver.url) == Answer(status=200, problem=None)


async def test_one_that_does_not_answer_is_left_after_the_timeout(
    client: WebhookClient, receiver: Receiver
) -> None:
    receiver.answers(None)
    began = time.monotonic()

    assert (await post(client, receiver.url)).problem == "No answer came within 1 seconds."
    assert 0.9 < time.monotonic() - began < 5


async def test_nobody_listening_is_failure(client: WebhookClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"

    assert (await post(client, url)).problem == "No connection could be made."


async def test_a_name_that_leads_nowhere_is_failure(client: WebhookClient) -> None:
    def lookup(*_: object, **__: object) -> list[object]:
        raise socket.gaierror

    client._resolver._lookup = lookup

    assert (await post(client, "http://nowhere.example/")).problem == "The host name cannot be looked up."


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), ("0", 0), ("9" * 50, 999_999_999)])
async def test_retry_after_is_a_number_of_seconds(
    client: WebhookClient, receiver: Receiver, asked: str, seconds: int
) -> None:
    receiver.answers(answering(503, f"Retry-After: {asked}"))

    assert (await post(client, receiver.url)).retry_after_s == seconds


async def test_or_a_date(client: WebhookClient, receiver: Receiver) -> None:
    receiver.answers(answering(503, f"Retry-After: {formatdate(time.time() + 900, usegmt=True)}"))

    assert 600 < ((await post(client, receiver.url)).retry_after_s or 0) <= 900


@pytest.mark.parametrize("asked", ["soon", "-1", "1.5", "\u0661"])
async def test_other_words_in_retry_after_say_nothing(
    client: WebhookClient, receiver: Receiver, asked: str
) -> None:
    receiver.answers(answering(503, f"Retry-After: {asked}"))

    assert (await post(client, receiver.url)).retry_after_s is None


@pytest.mark.parametrize(("host", "taken"), [("localhost", True), ("127.0.0.1", False)])
async def test_tls_verifies_the_name_although_the_address_is_what_is_connected_to(
    client: WebhookClient, tmp_path: Path, host: str, *, taken: bool
) -> None:
    certificate = certificate_for("localhost", tmp_path)
    client._http.connector._ssl = ssl.create_default_context(cafile=str(certificate))
    async with receiving(tls=certificate) as (_, url):
        answer = await post(client, url.replace("127.0.0.1", host))

    assert answer.problem == (None if taken else "The certificate is not valid for this host.")


def certificate_for(name: str, folder: Path) -> Path:
    """Signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
