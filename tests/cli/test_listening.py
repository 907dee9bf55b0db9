import socket

import pytest

from nanobanana.cli.configuration import StartError
from nanobanana.cli.listening import listen, url_of


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
def test_the_printed_address_can_be_reached_from_this_machine(host: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener:
        address = url_of(listener).removeprefix("http://").rpartition(":")
        with socket.create_connection((address[0].strip("[]"), int(address[2])), timeout=5):
            assert address[0] not in ("0.0.0.0", "[::]")


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(StartError, match=r"Cannot listen on 192\.0\.2\.1, port 0: "):
        listen("192.0.2.1", 0)


def test_a_port_taken_at_the_same_address_is_refused() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(StartError, match="is taken by another program"):
        listen("127.0.0.1", listener.getsockname()[1])
