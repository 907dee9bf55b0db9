import socket
from contextlib import suppress

import pytest

from nanobanana.cli.bounded_headers import LIMIT
from tests.cli.serving import Service


def _answer_to(service: Service, head: bytes) -> bytes:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        with suppress(ConnectionError):  # it may hang up while we are still sending
            connection.sendall(head)
        with suppress(ConnectionError):
            return connection.recv(200)
    return b""


@pytest.mark.parametrize(("size", "status"), [(LIMIT // 2, b"200"), (50 * 1024 * 1024, b"431")])
def test_headers_up_to_64_kib_are_read_and_a_flood_is_refused(
    shared_service: Service, size: int, status: bytes
) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * size + b"\r\n\r\n"

    answer = _answer_to(shared_service, head)

    assert answer.split(b" ")[1:2] == [status] or (status == b"431" and not answer)
